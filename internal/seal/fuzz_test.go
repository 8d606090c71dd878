package seal

import (
	"errors"
	"strings"
	"testing"
)

// A sealed text opens as it was written, for its context, and in no other way.
func FuzzOpen(f *testing.F) {
	ring, err := NewRing([]string{newSecret, oldSecret})
	if err != nil {
		f.Fatal(err)
	}
	// Constants, since each of the fuzzer's processes must know them.
	const good = ofVersion2
	f.Add("session", ofVersion1, 0, byte(0))
	f.Add("session", ofVersion1, 1, byte(1))
	f.Add("session", good, 0, byte(0))
	f.Add("session", good, 1, byte(1))
	f.Add("session", good, 9, byte(0x80))
	f.Add("flow", good, 0, byte(0))
	f.Add("session", good+"=", 0, byte(0))
	f.Add("session", good[:len(good)-1], 0, byte(0))
	f.Add("session", good+"\n", 0, byte(0))
	f.Add("", "", 0, byte(0))
	f.Fuzz(func(t *testing.T, context, text string, at int, flip byte) {
		for _, tried := range []string{text, flipped(text, at, flip), flipped(good, at, flip)} {
			plain, err := ring.Open(context, tried)
			if context == "session" && (tried == good || tried == ofVersion1) {
				if err != nil || string(plain) != "plain" {
					t.Fatalf("the good text: %q, %v", plain, err)
				}
				continue
			}
			if !errors.Is(err, ErrOpen) || plain != nil {
				t.Fatalf("%q for %q: %q, %v", tried, context, plain, err)
			}
		}
	})
}

func flipped(text string, at int, flip byte) string {
	if at < 0 || at >= len(text) {
		return text
	}
	changed := []byte(text)
	changed[at] ^= flip
	return string(changed)
}

// What Chunks splits Join puts together; whatever else comes, Join asks for
// MaxChunks at most and returns no more than they hold.
func FuzzJoin(f *testing.F) {
	f.Add("1abc", "", "plain")
	f.Add("2abc", "def", strings.Repeat("x", chunkSize+1))
	f.Add("9abc", "def", "")
	f.Add("5abc", "", strings.Repeat("z", 4*chunkSize+1))
	f.Add("1000000a", "b", strings.Repeat("y", MaxChunks*chunkSize+1))
	f.Fuzz(func(t *testing.T, first, rest, text string) {
		asked := 0
		joined, ok := Join(first, func(_ int) (string, bool) { asked++; return rest, true })
		if asked >= MaxChunks || !ok && joined != "" {
			t.Fatalf("%q: asked for %d more chunks, got %q", first, asked, joined)
		}
		if len(joined) > len(first)+asked*chunkSize {
			t.Fatalf("%q: %d bytes of %d chunks", first, len(joined), asked+1)
		}
		chunks, err := Chunks(text)
		if err != nil {
			if !errors.Is(err, ErrTooLarge) || len(text) <= maxText {
				t.Fatalf("%d bytes: %v", len(text), err)
			}
			return
		}
		again, ok := Join(chunks[0], func(n int) (string, bool) {
			if n >= len(chunks) {
				return "", false
			}
			return chunks[n], true
		})
		if text != "" && (!ok || again != text) {
			t.Fatalf("%d bytes came back as %d", len(text), len(again))
		}
	})
}
