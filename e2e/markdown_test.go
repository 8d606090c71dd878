package e2e

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"

	"github.com/latchkey-auth/latchkey/e2e/checkout"
)

// document is a Markdown file of the repository.
type document struct {
	path   string
	text   string
	blocks []block
}

// block is fenced code. A comment on the line before it says what is done with it: <!-- check: settings -->.
type block struct {
	section string // the heading above it
	lang    string
	mark    string // such as "check: settings"; empty: none
	text    string
}

var (
	heading = regexp.MustCompile(`^#+ (.*)$`)
	comment = regexp.MustCompile(`^<!-- (.*) -->$`)
	known   = regexp.MustCompile(`^(check: (static|settings|bare|dynamic|compose|helm|kubernetes|defaults)|trial: (delegation\.yml|traefik\.yml|dynamic\.yml|dynamic\.toml))$`)
)

func readDocument(t *testing.T, path string) document {
	t.Helper()
	root, err := checkout.Root()
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(filepath.Join(root, path))
	if err != nil {
		t.Fatal(err)
	}
	d := document{path: path, text: string(data)}
	d.blocks = readBlocks(t, d)
	return d
}

func readBlocks(t *testing.T, d document) []block {
	t.Helper()
	var blocks []block
	var open *block
	var section, mark string
	for _, line := range strings.SplitAfter(d.text, "\n") {
		trimmed := strings.TrimSpace(line)
		lang, fence := strings.CutPrefix(trimmed, "```")
		switch {
		case open != nil && fence:
			blocks = append(blocks, *open)
			open = nil
		case open != nil:
			open.text += line
		case fence:
			if mark == "" && (lang == "yaml" || lang == "toml") {
				t.Fatalf("%s: the configuration under %q is not tested: it has no mark", d.path, section)
			}
			open = &block{section: section, lang: lang, mark: mark}
			mark = ""
		case mark != "":
			t.Fatalf("%s: no code follows the comment %q", d.path, mark)
		case heading.MatchString(trimmed):
			section = heading.FindStringSubmatch(trimmed)[1]
		case comment.MatchString(trimmed):
			if mark = comment.FindStringSubmatch(trimmed)[1]; !known.MatchString(mark) {
				t.Fatalf("%s: nothing is done with code that is marked %q", d.path, mark)
			}
		}
	}
	if open != nil {
		t.Fatalf("%s: the code under %q has no end", d.path, open.section)
	}
	return blocks
}

// marked are the blocks with this mark. There is at least one.
func (d document) marked(t *testing.T, mark string) []block {
	t.Helper()
	var found []block
	for _, b := range d.blocks {
		if b.mark == mark {
			found = append(found, b)
		}
	}
	if len(found) == 0 {
		t.Fatalf("%s has no code marked %q", d.path, mark)
	}
	return found
}

// section is the text under a heading, up to the next one of any level.
func (d document) section(t *testing.T, title string) string {
	t.Helper()
	_, text, found := strings.Cut(d.text, "# "+title+"\n")
	if !found {
		t.Fatalf("%s has no section %q", d.path, title)
	}
	text, _, _ = strings.Cut(text, "\n#")
	return text
}

// rows are the cells of all table rows of a text, without the rows that only draw lines.
func rows(text string) [][]string {
	var rows [][]string
	for _, line := range strings.Split(text, "\n") {
		inner, isRow := strings.CutPrefix(line, "|")
		if !isRow || strings.Trim(inner, "|- ") == "" {
			continue
		}
		var cells []string
		for _, cell := range strings.Split(strings.ReplaceAll(strings.TrimSuffix(inner, "|"), `\|`, "\x00"), "|") {
			cells = append(cells, strings.TrimSpace(strings.ReplaceAll(cell, "\x00", "|")))
		}
		rows = append(rows, cells)
	}
	return rows
}

var span = regexp.MustCompile("``(.+?)``|`([^`]+)`")

// code are the code spans of a text.
func code(text string) []string {
	var spans []string
	for _, m := range span.FindAllStringSubmatch(text, -1) {
		spans = append(spans, strings.TrimSpace(m[1]+m[2]))
	}
	return spans
}

func unmarshal(t *testing.T, text string, into any) {
	t.Helper()
	if err := yaml.Unmarshal([]byte(text), into); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
}
