package seal

import (
	"errors"
	"strings"
	"testing"
)

// Sizes around each end of a chunk, where the digit in front counts too.
func TestChunksRoundTrip(t *testing.T) {
	sizes := []int{1, 3*chunkSize + 7}
	for n := 1; n <= MaxChunks; n++ {
		for size := n*chunkSize - 10; size < n*chunkSize+10 && size <= maxText; size++ {
			sizes = append(sizes, size)
		}
	}
	for _, size := range sizes {
		text := strings.Repeat("x", size-1) + "y"
		chunks, err := Chunks(text)
		if err != nil {
			t.Fatalf("%d bytes: %v", size, err)
		}
		for _, chunk := range chunks {
			if len(chunk) > chunkSize {
				t.Errorf("%d bytes: a chunk of %d", size, len(chunk))
			}
		}
		asked := 1
		got, ok := Join(chunks[0], func(n int) (string, bool) {
			asked++
			if n >= len(chunks) {
				return "", false
			}
			return chunks[n], true
		})
		if asked != len(chunks) {
			t.Errorf("%d bytes: %d chunks, asked for %d", size, len(chunks), asked)
		}
		if !ok || got != text {
			t.Errorf("%d bytes in %d chunks came back as %d, %v", size, len(chunks), len(got), ok)
		}
	}
}

func TestChunksTooLarge(t *testing.T) {
	if _, err := Chunks(strings.Repeat("x", maxText+1)); !errors.Is(err, ErrTooLarge) {
		t.Errorf("got %v, want %v", err, ErrTooLarge)
	}
}

func TestJoinRefuses(t *testing.T) {
	present := func(_ int) (string, bool) { return "b", true }
	missing := func(_ int) (string, bool) { return "", false }
	long := func(_ int) (string, bool) { return strings.Repeat("b", chunkSize+1), true }
	for name, c := range map[string]struct {
		first string
		rest  func(int) (string, bool)
	}{
		"nothing":           {"", present},
		"no count":          {"a", present},
		"count of zero":     {"0a", present},
		"count of nine":     {"9a", present},
		"a chunk missing":   {"2a", missing},
		"an oversize chunk": {"2a", long},
		"an oversize first": {"1" + strings.Repeat("a", chunkSize), present},
	} {
		if got, ok := Join(c.first, c.rest); ok {
			t.Errorf("%s: joined to %d bytes", name, len(got))
		}
	}
	asked := 0
	Join("1000000a", func(_ int) (string, bool) { asked++; return "", true })
	if asked > MaxChunks {
		t.Errorf("a count of a million asked for %d chunks", asked)
	}
}
