package e2e

import (
	"bufio"
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/latchkey-auth/latchkey/e2e/harness"
)

// The events of the app never end, so the first one arrives only if nothing on the way waits for the end.
func TestEventStream(t *testing.T) {
	t.Parallel()
	b := start(t, plan{})
	client := b.session("alice")
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, b.Traefik.TLSURL+"/live/events", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Accept", "text/event-stream")
	res, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK || res.Header.Get("Content-Type") != "text/event-stream" {
		t.Fatalf("status %d, %q, want 200, text/event-stream", res.StatusCode, res.Header.Get("Content-Type"))
	}
	var events []string
	for lines := bufio.NewScanner(res.Body); len(events) < 3 && lines.Scan(); {
		if event, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
			events = append(events, event)
		}
	}
	if got := strings.Join(events, " "); got != "1 2 3" {
		t.Errorf("events %q, want \"1 2 3\"", got)
	}
	isIdentity(t, b.Apps.Seen("/live/events")[0], "alice", "staff,ops")
}

func TestWebSocket(t *testing.T) {
	t.Parallel()
	b := start(t, plan{})
	address := "wss://" + host(t, b.Traefik.TLSURL) + "/live/ws"
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()

	_, res, err := websocket.Dial(ctx, address, &websocket.DialOptions{HTTPClient: harness.Client()})
	if err == nil || res == nil || res.StatusCode != http.StatusUnauthorized {
		t.Fatalf("without a session: %v, error %v, want status 401", res, err)
	}
	b.untouched("/live/ws")

	c, _, err := websocket.Dial(ctx, address, &websocket.DialOptions{HTTPClient: b.session("alice")})
	if err != nil {
		t.Fatal(err)
	}
	defer c.CloseNow()
	for _, message := range []string{"first", "second", strings.Repeat("long ", 1000)} {
		if err := c.Write(ctx, websocket.MessageText, []byte(message)); err != nil {
			t.Fatal(err)
		}
		_, got, err := c.Read(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if string(got) != message {
			t.Errorf("echo of %q is %q", message, got)
		}
	}
	isIdentity(t, b.Apps.Seen("/live/ws")[0], "alice", "staff,ops")
}
