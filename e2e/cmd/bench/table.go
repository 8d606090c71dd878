package main

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
)

// columns are the rows that have a column for the ratios to them. A ratio to another row comes last, with its name.
var columns = []string{bareRow, emptyRow}

// table writes the figures, a line each. Ratios, and what follows a value in brackets, are over the rounds.
func table(w io.Writer, figures []figure) error {
	var lines strings.Builder
	t := tabwriter.NewWriter(&lines, 0, 0, 2, ' ', 0)
	fmt.Fprintf(t, "row\tmeasure\tmedian\t(min-max)\tof %s\tof others\n", strings.Join(columns, "\tof "))
	previous := ""
	for _, f := range figures {
		name := f.Row
		if name == previous {
			name = ""
		}
		previous = f.Row
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\n", name, f.Measure, f.number(f.Value.Median), betweenWith(f.Value, f.number), strings.Join(f.cells(), "\t"))
	}
	if err := t.Flush(); err != nil {
		return err
	}
	for line := range strings.Lines(lines.String()) {
		fmt.Fprintln(w, strings.TrimRight(line, " \n"))
	}
	for _, f := range figures {
		if f.Note != "" {
			fmt.Fprintf(w, "%s: %s\n", f.Row, f.Note)
		}
	}
	return nil
}

// cells are the ratios of the figure, column by column.
func (f figure) cells() []string {
	cells := make([]string, len(columns)+1)
	var others []string
	for _, r := range f.Ratios {
		text := strings.TrimSpace(share(r.Median) + " " + betweenWith(r.spread, share))
		if i := slices.Index(columns, r.Of); i >= 0 {
			cells[i] = text
			continue
		}
		others = append(others, text+" of "+r.Of)
	}
	cells[len(columns)] = strings.Join(others, ", ")
	return cells
}

// betweenWith is empty for a single sample.
func betweenWith(s spread, format func(float64) string) string {
	if len(s.Rounds) < 2 {
		return ""
	}
	return "(" + format(s.Min) + "-" + format(s.Max) + ")"
}

func (f figure) number(v float64) string {
	if f.whole {
		return strconv.FormatFloat(v, 'f', 0, 64)
	}
	return number(v)
}

// number has three significant digits, and whatever is left of the point.
func number(v float64) string {
	switch {
	case v >= 100:
		return strconv.FormatFloat(v, 'f', 0, 64)
	case v >= 10:
		return strconv.FormatFloat(v, 'f', 1, 64)
	}
	return strconv.FormatFloat(v, 'f', 2, 64)
}

func share(v float64) string { return strconv.FormatFloat(v, 'f', 2, 64) }
