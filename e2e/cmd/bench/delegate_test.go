package main

import (
	"encoding/base64"
	"net/http"
	"testing"
)

func TestCheckDelegated(t *testing.T) {
	token := func(claims string) string {
		return "e30." + base64.RawURLEncoding.EncodeToString([]byte(claims)) + ".e30"
	}
	with, without := row{user: "alice", service: "query"}, row{user: "alice"}
	good := token(`{"aud":"query","sub":"alice","scope":"email profile"}`)
	for _, test := range []struct {
		name   string
		row    row
		tokens []string
		ok     bool
	}{
		{"one", with, []string{good}, true},
		{"none", with, nil, false},
		{"two", with, []string{good, good}, false},
		{"of somebody else", with, []string{token(`{"aud":"query","sub":"bob","scope":"email"}`)}, false},
		{"for somebody else", with, []string{token(`{"aud":"storage","sub":"alice","scope":"email"}`)}, false},
		{"without its scopes", with, []string{token(`{"aud":"query","sub":"alice","scope":""}`)}, false},
		{"not a token", with, []string{"email"}, false},
		{"none, where none is wanted", without, nil, true},
		{"one, where none is wanted", without, []string{good}, false},
	} {
		seen := &http.Request{Header: http.Header{delegatedHeader: test.tokens}}
		if err := test.row.checkDelegated(seen); (err == nil) != test.ok {
			t.Errorf("%s: error %v", test.name, err)
		}
	}
}
