package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"

	"github.com/BurntSushi/toml"
	"gopkg.in/yaml.v3"
)

// parse reads the documents of a file, or says what is wrong with its syntax,
// and where.
func parse(content []byte, extension string) (documents []map[string]any, problems []string) {
	if extension == ".toml" {
		return parseTOML(content)
	}
	decoder := yaml.NewDecoder(bytes.NewReader(content))
	for {
		var document map[string]any
		err := decoder.Decode(&document)
		var types *yaml.TypeError
		switch {
		case errors.Is(err, io.EOF):
			return documents, problems
		case errors.As(err, &types):
			problems = append(problems, types.Errors...)
		case err != nil:
			text := yamlPlace.ReplaceAllString(err.Error(), "")
			return documents, append(problems, fmt.Sprintf("line %d: %s", brokenLine(content), text))
		case document != nil:
			documents = append(documents, document)
		}
	}
}

func parseTOML(content []byte) ([]map[string]any, []string) {
	document := map[string]any{}
	err := toml.Unmarshal(content, &document)
	var syntax toml.ParseError
	switch {
	case errors.As(err, &syntax):
		return nil, []string{fmt.Sprintf("line %d: %s", lineAt(content, syntax.Position.Start), syntax.Message)}
	case err != nil:
		return nil, []string{err.Error()}
	}
	return []map[string]any{document}, nil
}

// lineAt is the line of an offset.
func lineAt(content []byte, offset int) int {
	return 1 + bytes.Count(content[:min(offset, len(content))], []byte("\n"))
}

// yamlPlace is where the YAML parser says that a mistake is: where the list or
// map began that has it, and one line off at that.
var yamlPlace = regexp.MustCompile(`^yaml: (line \d+: )?`)

// longestText is over how many lines brokenLine lets a text or a list in
// brackets go.
const longestText = 100

// brokenLine is the line without which all before it would be YAML. What is cut
// off within a text or brackets is none, and all the same it may go on well.
func brokenLine(content []byte) int {
	lines := bytes.SplitAfter(content, []byte("\n"))
	good := func(n int) bool {
		var node yaml.Node
		decoder := yaml.NewDecoder(bytes.NewReader(bytes.Join(lines[:n], nil)))
		for {
			if err := decoder.Decode(&node); err != nil {
				return errors.Is(err, io.EOF)
			}
		}
	}
	low, high := 0, len(lines) // low lines are good, high are not
	for low+1 < high {
		if middle := (low + high) / 2; good(middle) {
			low = middle
		} else {
			high = middle
		}
		for n := high + 1; low+1 == high && n < min(len(lines), high+longestText); n++ {
			if good(n) {
				low, high = n, len(lines)
			}
		}
	}
	return low + 1
}
