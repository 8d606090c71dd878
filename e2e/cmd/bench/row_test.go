package main

import (
	"regexp"
	"slices"
	"strings"
	"testing"
)

func TestChosenRowsBringWhatTheyAreComparedWith(t *testing.T) {
	b := &bench{options: options{identities: 1000, routers: 200, apiTokens: 1000}}
	for only, want := range map[string]string{
		"^bare$":      "bare",
		"^bearer$":    "bare empty empty-bearer bearer",
		"redis$":      "bare empty empty-id session-redis",
		"revoking":    "bare empty empty-cookie session session-revoking",
		"delegate":    "bare empty empty-cookie session session-delegate",
		"200-routers": "bare empty empty-cookie empty-bearer session bearer session-200-routers bearer-200-routers",
		"^api-key$":   "bare empty empty-api-token api-token api-key",
		"000-tokens":  "bare empty empty-api-token api-token api-token-1000-tokens",
		"nothing":     "",
		"": "bare empty empty-cookie empty-id empty-bearer empty-api-token session session-redis bearer api-token api-key " +
			"session-1000-identities session-200-routers bearer-1000-identities bearer-200-routers api-token-1000-tokens session-revoking " +
			"session-delegate",
	} {
		b.only = regexp.MustCompile(only)
		var names []string
		for _, r := range b.chosen(b.rows()) {
			names = append(names, r.name)
		}
		if got := strings.Join(names, " "); got != want {
			t.Errorf("-only %q chooses %q, want %q", only, got, want)
		}
	}
}

// TestRowsAreComparedWithEarlierOnes: one look down the table finds what a ratio is of.
func TestRowsAreComparedWithEarlierOnes(t *testing.T) {
	b := &bench{options: options{identities: 1000, routers: 200, apiTokens: 1000}}
	var before []string
	for _, r := range b.rows() {
		for _, base := range r.against {
			if !slices.Contains(before, base) {
				t.Errorf("%s is compared with %s, which is not above it", r.name, base)
			}
		}
		before = append(before, r.name)
	}
}
