package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// maxDays bounds a number of days, against a slip of the finger.
const maxDays = 36500

// parseDuration reads 90s, 12h or 90d; a day has 24 hours.
func parseDuration(text string) (time.Duration, error) {
	if number, isDays := strings.CutSuffix(text, "d"); isDays {
		days, err := strconv.Atoi(number)
		if err != nil || days < 0 || days > maxDays {
			return 0, fmt.Errorf("%q is not a number of days between 0d and %dd", text, maxDays)
		}
		return time.Duration(days) * 24 * time.Hour, nil
	}
	d, err := time.ParseDuration(text)
	if err != nil || d < 0 {
		return 0, fmt.Errorf("%q is not a duration; write 90d, 12h or 30m", text)
	}
	return d, nil
}

// parseExpiry reads when a token ends: after a duration, at a date or a time
// (RFC 3339), or never, which is the zero time.
func parseExpiry(text string, now time.Time) (time.Time, error) {
	if text == "never" {
		return time.Time{}, nil
	}
	for _, layout := range []string{time.DateOnly, time.RFC3339} {
		if at, err := time.Parse(layout, text); err == nil {
			return at, nil
		}
	}
	d, err := parseDuration(text)
	if err != nil {
		return time.Time{}, fmt.Errorf("--expires: %q is not 90d, 12h, 2027-01-31, 2027-01-31T12:00:00Z or never", text)
	}
	if d < time.Second {
		return time.Time{}, fmt.Errorf("--expires: %q is no time at all", text)
	}
	return now.Add(d), nil
}
