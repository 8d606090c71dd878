package main

import (
	"os"
	"path/filepath"
	"reflect"
	"testing"
)

var seedTypes = []reflect.Type{reflect.TypeFor[string](), reflect.TypeFor[[]byte](), reflect.TypeFor[int](), reflect.TypeFor[byte](), reflect.TypeFor[bool]()}

// A seed that the fuzzer left in testdata is read as go test reads it.
func TestSeeds(t *testing.T) {
	dir := t.TempDir()
	seed := "go test fuzz v1\nstring(\"a\\n\\x00\")\n[]byte(\"\\xff\")\nint(-7)\nbyte('\\x01')\nbool(true)\n"
	if err := os.WriteFile(filepath.Join(dir, "0a"), []byte(seed), 0o600); err != nil {
		t.Fatal(err)
	}
	seeds, err := deps{}.ReadCorpus(dir, seedTypes)
	if err != nil || len(seeds) != 1 {
		t.Fatalf("%d seeds, %v", len(seeds), err)
	}
	if want := []any{"a\n\x00", []byte{0xff}, -7, byte(1), true}; !reflect.DeepEqual(seeds[0].Values, want) {
		t.Errorf("got %#v, want %#v", seeds[0].Values, want)
	}
	if seeds, err := (deps{}).ReadCorpus(filepath.Join(dir, "none"), seedTypes); err != nil || len(seeds) > 0 {
		t.Errorf("without a folder: %d seeds, %v", len(seeds), err)
	}
}

func TestBrokenSeeds(t *testing.T) {
	for _, seed := range []string{
		"", "go test fuzz v1\n", "go test fuzz v2\nint(1)\n", "go test fuzz v1\nint(1)\nint(1)\n",
		"go test fuzz v1\nint(x)\n", "go test fuzz v1\nint\n", "go test fuzz v1\nint(\n", "go test fuzz v1\nint(1i)\n", "go test fuzz v1\nint(\"a\")\n",
	} {
		if values, err := parseSeed(seed, []reflect.Type{reflect.TypeFor[int]()}); err == nil {
			t.Errorf("%q is read as %#v", seed, values)
		}
	}
	if err := (deps{}).CheckCorpus([]any{1}, []reflect.Type{reflect.TypeFor[string]()}); err == nil {
		t.Error("an int passes for a string")
	}
	if err := (deps{}).CheckCorpus(nil, seedTypes); err == nil {
		t.Error("no value passes for five")
	}
}
