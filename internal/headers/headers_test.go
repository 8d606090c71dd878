package headers

import "testing"

func TestFold(t *testing.T) {
	const folded = "x-auth-request-user"
	for _, name := range []string{
		"X-Auth-Request-User", "x-auth-request-user", "X-AUTH-REQUEST-USER",
		"X_Auth_Request_User", "X-Auth_Request-User", "x.auth.request.user",
		"x-auth.request~user", "X!Auth#Request$User", "x%auth&request'user",
		"X*Auth+Request^User", "x`auth|request user", "x:auth/request\\user",
		"x\x00auth\xffrequest\nuser",
	} {
		if got := Fold(name); got != folded {
			t.Errorf("%q: got %q, want %q", name, got, folded)
		}
	}
	for _, name := range []string{
		"X-Auth-Request-Users", "X-Auth-Request-Use", "XAuth-Request-User", "X--Auth-Request-User",
		"-X-Auth-Request-User", "X-Auth-Request-User-", "X-Auth-Requ\u00e9st-User", "Y-Auth-Request-User",
		// Letters that Unicode would fold to ours; no header's name has them.
		"X-Auth-Reque\u017ft-User",
	} {
		if got := Fold(name); got == folded {
			t.Errorf("%q is folded to %q", name, folded)
		}
	}
}

func TestFoldKeepsLettersAndDigits(t *testing.T) {
	cases := []struct{ name, want string }{
		{"", ""},
		{"ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz"},
		{"abcdefghijklmnopqrstuvwxyz", "abcdefghijklmnopqrstuvwxyz"},
		{"0123456789", "0123456789"},
		{"@[`{/:", "------"},
		{"é", "--"},
	}
	for _, c := range cases {
		if got := Fold(c.name); got != c.want {
			t.Errorf("%q: got %q, want %q", c.name, got, c.want)
		}
	}
}

func TestValidName(t *testing.T) {
	for _, name := range []string{
		"a", "X-Auth-Request-User", "x_auth.request~user", "0", "!#$%&'*+-.^_`|~", "azAZ09",
	} {
		if !ValidName(name) {
			t.Errorf("%q is refused", name)
		}
	}
	for _, name := range []string{
		"", " ", "X Auth", " X-Auth", "X-Auth ", "X-Auth:", "X/Auth", "X\"Auth", "(X)", "a,b", "a;b", "a=b", "a@b",
		"<a>", "a?b", "[a]", `a\b`, "{a}", "a\x00b", "a\rb", "a\nb", "a\tb", "a\x7fb", "\u00e9", "X-\u00e9-Y", "a\xffb",
	} {
		if ValidName(name) {
			t.Errorf("%q is valid", name)
		}
	}
}
