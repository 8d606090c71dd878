package headers

import (
	"net/http"
	"reflect"
	"testing"
)

// strip is what is left of a header.
func strip(g *Guard, names ...string) http.Header {
	header := http.Header{}
	for _, name := range names {
		header[name] = []string{"sent"}
	}
	r := request(header)
	g.Strip(r)
	return r.Header
}

// What one middleware forwards, no other lets a client send: those that were
// there before it too, and what they took for harmless.
func TestNamesOfAnotherMiddleware(t *testing.T) {
	names := NewNames()
	told := 0
	first := NewGuard(names, nil, func() { told++ })
	sent := []string{"X-Team", "X_Team", "x.team", "X-Request-Id", "Accept"}
	first.Learn(http.Header{"X-Team": nil, "X_Team": nil})
	if got := strip(first, sent...); len(got) != len(sent) {
		t.Fatalf("left: %q", got)
	}
	names.Add([]string{"X-Team", "x-request-ID", ""})
	if told != 1 {
		t.Errorf("told %d times of new names, want once", told)
	}
	names.Add([]string{"x_team"})
	if told != 1 {
		t.Error("told of a name that is known")
	}
	second := NewGuard(names, nil, func() {})
	for _, g := range []*Guard{first, second} {
		if got := strip(g, sent...); !reflect.DeepEqual(got, http.Header{"Accept": {"sent"}}) {
			t.Errorf("left: %q", got)
		}
		if harmless(g)["X-Team"] || harmless(g)["X_Team"] || harmless(g)["X-Request-Id"] {
			t.Error("a name that is ours is known to be harmless")
		}
	}
	first.Close()
	names.Add([]string{"X-Role"})
	if told != 1 {
		t.Error("a guard that is gone is told")
	}
	if got := strip(second, "X-Role"); len(got) != 0 {
		t.Errorf("left: %q", got)
	}
}

// Identity headers of the common kind are nobody's to send, whether or not
// somebody forwards them; nor is what frameworks take for the path.
func TestNamesThatAreNeverAClients(t *testing.T) {
	g := guardOf()
	for _, name := range []string{
		"X-Auth-Request-User", "X-Auth-Request-Preferred-Username", "X-Auth-Request-Access-Token", "x_auth_request_anything",
		"X.Auth.Request.Groups", "X-Auth-Request-", "X_AUTH-request~Redirect",
		"X-Original-Url", "X-Original-Uri", "X-Rewrite-Url", "X_Rewrite_Url", "x.original.url", "X-Override-Url",
		"X-Original-Path", "X-Request-Uri", "X-Forwarded-Uri", "X_Forwarded_Uri", "X-Forwarded-Path",
		"X-Original-Host", "X-Host", "X_Host_Override",
		"Remote-User", "remote_user", "X-Remote-User", "X-Forwarded-User", "X-Forwarded-Email", "X-Webauth-User", "X-Authentik-Username",
	} {
		if got := strip(g, name, "Accept"); len(got) != 1 {
			t.Errorf("%s: left: %q", name, got)
		}
		r := request(http.Header{"Connection": {"close, " + name}})
		r.Trailer = http.Header{name: nil}
		g.Learn(r.Header)
		g.Strip(r)
		if got := r.Header.Get("Connection"); got != "close" || len(r.Trailer) != 0 {
			t.Errorf("%s: left: Connection %q, trailers %q", name, got, r.Trailer)
		}
	}
	for _, name := range []string{"X-Forwarded-Prefix", "X-Forwarded-For", "X-Authorization", "X-Http-Method-Override", "Forwarded", "Cf-Access-Jwt-Assertion"} {
		if got := strip(g, name); len(got) != 1 {
			t.Errorf("%s is gone", name)
		}
	}
}

// A router may keep a name, in every spelling, for itself alone.
func TestNamesToKeep(t *testing.T) {
	names := NewNames()
	names.Add([]string{"X-Team", "X-Role"})
	keeps := NewGuard(names, []string{"x-team", "X-Auth-Request-Redirect", "X-Original-URL"}, func() {})
	others := NewGuard(names, nil, func() {})
	sent := []string{"X-Team", "X_Team", "X-Role", "X-Auth-Request-Redirect", "X-Auth-Request-User", "X-Original-Url"}
	for round := 0; round < 2; round++ {
		want := http.Header{"X-Team": {"sent"}, "X_Team": {"sent"}, "X-Auth-Request-Redirect": {"sent"}, "X-Original-Url": {"sent"}}
		if got := strip(keeps, sent...); !reflect.DeepEqual(got, want) {
			t.Errorf("kept: %q", got)
		}
		if got := strip(others, sent...); len(got) != 0 {
			t.Errorf("another router kept %q", got)
		}
		keeps.Learn(want)
		others.Learn(want)
	}
	if !harmless(keeps)["X-Team"] || harmless(others)["X-Team"] {
		t.Error("a name that is kept needs no look, and others do")
	}
}

// Traefik knows one spelling of what it tells of the connection; an upstream may
// know others.
func TestNamesOfTheConnection(t *testing.T) {
	g := guardOf()
	sent := []string{"X_Forwarded_For", "x-forwarded_proto", "X.Forwarded.Host", "X_Forwarded_Tls_Client_Cert_Info", "x_real_ip", "X-Real_Ip"}
	good := []string{"X-Forwarded-For", "x-forwarded-proto", "X-Forwarded-Tls-Client-Cert-Info", "X-Real-Ip", "X_Forward", "X_Real_Ipv6"}
	for round := 0; round < 2; round++ {
		if got := strip(g, append(append([]string{}, sent...), good...)...); len(got) != len(good) {
			t.Errorf("left: %q", got)
		}
		learnt := http.Header{}
		for _, name := range append(append([]string{}, sent...), good...) {
			learnt[name] = nil
		}
		g.Learn(learnt)
	}
}
