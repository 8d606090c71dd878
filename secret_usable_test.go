package latchkey

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// What everybody can look up in a document seals nothing.
func TestPlaceholdersAreRefused(t *testing.T) {
	for _, value := range []string{
		"what openssl rand -base64 48 printed",
		"change-me-change-me-change-me-change-me",
		"TODO-generate-a-secret-with-openssl-0001",
		"your-32-byte-value-goes-here-please-now",
		"secretsecretsecretsecretsecretsecret12",
		"password-password-password-password-1",
		"the-default-secret-of-the-helm-chart-v1",
		"only-for-the-demo-do-not-use-this-at-all",
		"CHANGE_ME_to_at_least_32_bytes_of_random",
		"please change this to something long and random",
		"replace-with-a-random-secret-of-32-bytes",
		"your-secret-of-at-least-thirty-two-bytes",
		"<the output of openssl rand, 48 bytes>",
		"${LATCHKEY_SECRET_OF_AT_LEAST_32_BYTES}",
		"$LATCHKEY_SECRET_OF_AT_LEAST_32_BYTES_",
		"{{ .Values.latchkey.secret | b64enc | quote }}",
		"an-example-only-make-your-own-with-openssl-rand",
		"placeholder placeholder, of whatever length",
		"aabbabaabbbabaabababbbaabababaabbaab",
		strings.Repeat("x", 32), strings.Repeat("ab", 20), strings.Repeat("secret", 6), strings.Repeat("0", 64),
		"12345678901234567890123456789012",
		"abcdefghijklmnopqrstuvwxyz123456",
		"this-is-not-a-secret-but-long-enough",
		strings.Repeat("super-secret", 3),
		"000102030405060708090a0b0c0d0e0f", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
	} {
		if err := usableSecrets([]string{secretA, value}); !errors.Is(err, errPlaceholder) {
			t.Errorf("%q: %v", value, err)
		}
		c := validConfig()
		c.Secret = []string{value}
		_, err := compile(c)
		if err == nil || !strings.Contains(err.Error(), "secret: is a placeholder") || strings.Contains(err.Error(), value) {
			t.Errorf("%q in the settings: %v", value, err)
		}
	}
}

// A passphrase is the user's own affair.
func TestPassphrasesAreNotRefused(t *testing.T) {
	for _, value := range []string{
		"a secret of at least thirty-two bytes", "the password of the old portal, and then some", "vivid-otter-moves-nine-copper-secret-keys",
	} {
		if err := usableSecrets([]string{value}); err != nil {
			t.Errorf("%q: %v", value, err)
		}
	}
}

// No secret of a random generator is refused.
func TestRandomSecretsAreNotRefused(t *testing.T) {
	for i := 0; i < 5000; i++ {
		raw := make([]byte, 48)
		if _, err := rand.Read(raw); err != nil {
			t.Fatal(err)
		}
		digits := new(big.Int).SetBytes(raw).String()
		for _, value := range []string{
			base64.StdEncoding.EncodeToString(raw), base64.RawURLEncoding.EncodeToString(raw[:24]),
			hex.EncodeToString(raw[:16]), digits[len(digits)-40:],
		} {
			if err := usableSecrets([]string{value}); err != nil {
				t.Fatalf("%q: %v", value, err)
			}
		}
	}
}

// A reference that nobody has looked up is no secret, wherever one may stand.
func TestUnresolvedReferences(t *testing.T) {
	path := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(path, []byte("urn:k8s:secret:latchkey:the-secret-of-latchkey\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	os.Setenv("LATCHKEY_TEST_URN", "urn:k8s:secret:latchkey:the-secret-of-latchkey")
	defer os.Unsetenv("LATCHKEY_TEST_URN")
	for setting, set := range map[string]func(c *Config, value string){
		"secret":                func(c *Config, value string) { c.Secret = []string{testSecret, value} },
		"provider.clientSecret": func(c *Config, value string) { c.Provider.ClientSecret = value },
		"redis.password":        func(c *Config, value string) { c.Redis.Addresses, c.Redis.Password = []string{"redis:6379"}, value },
		"provider.caCert":       func(c *Config, value string) { c.Provider.CACert = value },
		"redis.tls.caCert": func(c *Config, value string) {
			c.Redis.Addresses, c.Redis.TLS.Enabled, c.Redis.TLS.CACert = []string{"redis:6379"}, true, value
		},
	} {
		values := []string{"urn:k8s:secret:latchkey:the-secret-of-latchkey", "URN:k8s:secret:latchkey:the-secret-of-latchkey", " Urn:x:the-secret-of-latchkey-in-a-cluster",
			`"urn:k8s:secret:latchkey:the-secret-of-latchkey"`, "['urn:k8s:secret:latchkey:the-secret-of-latchkey']", "[[ urn:k8s:secret:latchkey:the-secret ]]",
			"\u200burn:k8s:secret:latchkey:the-secret-of-latchkey", "urn :k8s:secret:latchkey:the-secret-of-latchkey", "urn%3Ak8s%3Asecret%3Alatchkey%3Athe-secret",
			"- urn:x:the-secret-of-latchkey-in-a-cluster", "value: urn:k8s:secret:latchkey:the-secret-of-latchkey", `"file:/run/secrets/latchkey-secret-file"`}
		if !strings.HasSuffix(setting, "caCert") {
			values = append(values, "env:LATCHKEY_TEST_URN", "file:"+path, "FILE:/run/secrets/latchkey-secret-file", "Env:LATCHKEY_SECRET_OF_THIS_MIDDLEWARE")
		}
		for _, value := range values {
			c := validConfig()
			set(c, value)
			if _, err := compile(c); err == nil || !strings.Contains(err.Error(), setting+": ") || !strings.Contains(err.Error(), "begins with") {
				t.Errorf("%s: %q: %v", setting, value, err)
			}
		}
	}
}

// What editors and shells put around a secret is none of it.
func TestSecretIsTrimmed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "secret")
	for _, around := range []string{"%s\n", "%s\r\n", "\ufeff%s", "\ufeff%s\r\n", " \ufeff %s\t\n\n"} {
		value := strings.Replace(around, "%s", secretA, 1)
		if err := os.WriteFile(path, []byte(value), 0o600); err != nil {
			t.Fatal(err)
		}
		os.Setenv("LATCHKEY_TEST_TRIM", value)
		for _, source := range []string{"file:" + path, "env:LATCHKEY_TEST_TRIM", value} {
			if s, err := openSecret(source); err != nil || s.get() != secretA {
				t.Errorf("%q: %v", source, err)
			}
		}
	}
	os.Unsetenv("LATCHKEY_TEST_TRIM")
}

func TestSecretDelay(t *testing.T) {
	for value, want := range map[string]string{
		"0": "", "10s": "", "1h": "", "61m": `secretDelay: "61m" is more than 1h0m0s`, "soon": `secretDelay: "soon" is not a duration`, "-1s": `secretDelay: "-1s" is less than 0s`,
	} {
		c := validConfig()
		c.SecretDelay = value
		_, err := compile(c)
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%q: %v", value, err)
		}
	}
}

// The file of a setting is a file, of a bounded length.
func TestSettingFiles(t *testing.T) {
	folder := t.TempDir()
	long := filepath.Join(folder, "long")
	if err := os.WriteFile(long, []byte(strings.Repeat("ab", maxSettingFile/2)+"a"), 0o600); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{folder: "no regular file", "/dev/zero": "no regular file", long: "more than", filepath.Join(folder, "none"): "no such file"} {
		if _, err := openSecret("file:" + path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("a secret in %s: %v, want %s", path, err, want)
		}
		m := &mistakes{}
		certificates(m, "redis.tls.caCert", "file:"+path)
		if err := m.err(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("certificates in %s: %v, want %s", path, err, want)
		}
	}
	if err := os.Truncate(long, maxSettingFile); err != nil {
		t.Fatal(err)
	}
	if _, err := openSecret("file:" + long); err != nil {
		t.Errorf("the longest: %v", err)
	}
}

// A file may change and keep its time and its length. What takes its place and is
// of no use changes nothing.
func TestSecretFileKeepsItsTime(t *testing.T) {
	path := filepath.Join(t.TempDir(), "secret")
	at := time.Now().Add(-time.Hour)
	write := func(value string) {
		if err := os.WriteFile(path, []byte(value), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, at, at); err != nil {
			t.Fatal(err)
		}
	}
	write("the first")
	s, err := openSecret("file:" + path)
	if err != nil {
		t.Fatal(err)
	}
	reported := 0
	s.report = func(_ error) { reported++ }
	write("the other")
	s.look()
	if got := s.get(); got != "the other" || reported != 0 {
		t.Errorf("it is %q, and %d errors", got, reported)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(path, 0o700); err != nil {
		t.Fatal(err)
	}
	s.look()
	s.look()
	if got := s.get(); got != "the other" || reported != 1 {
		t.Errorf("a folder in its place: it is %q, and %d errors", got, reported)
	}
}
