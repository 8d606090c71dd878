package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
)

// writeJSON writes the value, indented; a nil slice is an empty array.
func writeJSON(w io.Writer, value any) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return failed(encoder.Encode(value))
}

// list is never nil, so that JSON has an empty array.
func list[T any](items []T) []T {
	if items == nil {
		return []T{}
	}
	return items
}

// writeTable writes the rows under the heading, a column as wide as it has to
// be.
func writeTable(w io.Writer, heading []string, rows [][]string) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, strings.Join(heading, "\t"))
	for _, row := range rows {
		for i := range row {
			row[i] = printable(row[i])
		}
		fmt.Fprintln(table, strings.Join(row, "\t"))
	}
	return failed(table.Flush())
}

// printable is the text without what could move a terminal's cursor or change
// its colours: a note, or the name of a browser, is whatever somebody sent.
func printable(text string) string {
	var b strings.Builder
	for _, r := range text {
		if strconv.IsPrint(r) {
			b.WriteRune(r)
			continue
		}
		quoted := strconv.QuoteRune(r)
		b.WriteString(quoted[1 : len(quoted)-1])
	}
	if b.Len() == 0 {
		return "-"
	}
	return b.String()
}

// timestamp is Unix seconds as RFC 3339 in UTC, or, of 0, what that means.
func timestamp(seconds int64, zero string) string {
	if seconds == 0 {
		return zero
	}
	return time.Unix(seconds, 0).UTC().Format(time.RFC3339)
}

// count is a number of things, in words.
func count(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return strconv.Itoa(n) + " " + thing + "s"
}
