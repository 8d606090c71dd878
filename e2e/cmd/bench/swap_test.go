package main

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/latchkey-auth/latchkey/e2e/harness"
	"github.com/latchkey-auth/latchkey/internal/apitoken"
)

func TestShadowFile(t *testing.T) {
	s := &scene{apiToken: newAPIToken("alice")}
	for _, n := range []int{1, 3} {
		content, newest, err := s.shadowFile(n)
		if err != nil {
			t.Fatal(err)
		}
		var file struct{ Tokens map[string]apitoken.Token }
		if err := json.Unmarshal(content, &file); err != nil {
			t.Fatal(err)
		}
		if len(file.Tokens) != n {
			t.Errorf("%d tokens, want %d", len(file.Tokens), n)
		}
		for _, token := range []apiToken{s.apiToken, newest} {
			if id, hash, ok := apitoken.Parse(token.credential); !ok || hash != file.Tokens[id].Hash {
				t.Errorf("of %d tokens, %s does not open with its credential", n, token.id)
			}
		}
		if alone := newest.id == s.apiToken.id; alone != (n == 1) {
			t.Errorf("of %d tokens, the newest is alice's: %v", n, alone)
		}
	}
}

func TestPace(t *testing.T) {
	u, err := startUpstream()
	if err != nil {
		t.Fatal(err)
	}
	defer u.stop()
	// As many as need more than one of each connection.
	enough := func(ctx context.Context) error {
		return harness.Poll(ctx, "requests", func() error {
			if n := u.answered.Load(); n < 2*workers {
				return fmt.Errorf("%d so far", n)
			}
			return nil
		})
	}
	began := time.Now()
	slowest, err := pace(t.Context(), navigation(u.url, "any"), enough)
	if took := time.Since(began); err != nil || slowest <= 0 || slowest > took {
		t.Errorf("in %s the slowest request took %s, error %v", took, slowest, err)
	}
	u.stop()
	if _, err := pace(t.Context(), navigation(u.url, "any"), waitFor(50*time.Millisecond)); err == nil {
		t.Error("no error although nobody answers")
	}
}
