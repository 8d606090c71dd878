package main

import (
	"net/http"
	"testing"
)

func TestOutcomeOfAStorm(t *testing.T) {
	ok := response{status: http.StatusOK, body: answerBody}
	for _, c := range []struct {
		name         string
		answers      []response
		errors, lost int
	}{
		{"all let in", []response{ok, ok}, 0, 0},
		{"told to log in", []response{ok, {status: http.StatusUnauthorized}}, 1, 1},
		{"turned away for now", []response{ok, {status: http.StatusServiceUnavailable}}, 1, 0},
		{"not answered", []response{ok, {}}, 1, 0},
		{"a page of somebody else's", []response{{status: http.StatusOK, body: "Logged out"}}, 1, 0},
	} {
		got := outcome{byStatus: map[int]int{}}
		got.count(c.answers)
		if got.errors != c.errors || got.lost != c.lost {
			t.Errorf("%s: %d errors and %d logins lost, want %d and %d", c.name, got.errors, got.lost, c.errors, c.lost)
		}
	}
}

func TestRenewedCookie(t *testing.T) {
	const old = "__Host-latchkey=2.a; __Host-latchkey-1=b"
	for _, c := range []struct {
		name string
		set  []string
		want string
	}{
		{"nothing set", nil, old},
		{"both", []string{"__Host-latchkey=2.c; Path=/", "__Host-latchkey-1=d; Max-Age=60"}, "__Host-latchkey=2.c; __Host-latchkey-1=d"},
		{"one more", []string{"__Host-latchkey-2=e"}, old + "; __Host-latchkey-2=e"},
		{"one less", []string{"__Host-latchkey-1=; Max-Age=0"}, "__Host-latchkey=2.a"},
	} {
		got, err := renewedCookie(field{"Cookie", old}, http.Header{"Set-Cookie": c.set})
		if want := (field{"Cookie", c.want}); err != nil || got != want {
			t.Errorf("%s: %v, %v, want %v", c.name, got, err, want)
		}
	}
}
