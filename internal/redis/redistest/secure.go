package redistest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"
)

// Who may enter a server of StartSecure.
const (
	User     = "latchkey"
	Password = "s3cr%t \"quoted\" pass"
)

// StartSecure is Start with TLS only, a certificate for localhost and 127.0.0.1,
// and no user but User.
func StartSecure(t testing.TB) *Server {
	t.Helper()
	authority := newAuthority(t)
	return start(t, func(s *Server) []string {
		s.admin = credentials{tls: authority.client(), user: User, password: Password}
		authority.issue(t, s.dir)
		return append(s.standard(),
			"--port", "0", "--tls-port", strconv.Itoa(s.port),
			"--tls-cert-file", filepath.Join(s.dir, "server.crt"), "--tls-key-file", filepath.Join(s.dir, "server.key"),
			"--tls-ca-cert-file", filepath.Join(s.dir, "ca.crt"), "--tls-auth-clients", "no",
			"--aclfile", writeFile(t, s.dir, "users.acl", "user default off\nuser "+User+" on "+passwordRule()+" ~* &* +@all\n"),
		)
	})
}

// TLS trusts the authority that made the server's certificate. The name that
// is wanted is not set.
func (s *Server) TLS() *tls.Config { return s.admin.tls.Clone() }

// CA is the authority's certificate as PEM.
func (s *Server) CA() string {
	s.t.Helper()
	pem, err := os.ReadFile(filepath.Join(s.dir, "ca.crt"))
	if err != nil {
		s.t.Fatal(err)
	}
	return string(pem)
}

// Certificate is the server's, for another server that passes itself off as this
// one.
func (s *Server) Certificate() tls.Certificate {
	s.t.Helper()
	pair, err := tls.LoadX509KeyPair(filepath.Join(s.dir, "server.crt"), filepath.Join(s.dir, "server.key"))
	if err != nil {
		s.t.Fatal(err)
	}
	return pair
}

// passwordRule gives the hash of the password, which has characters that an ACL
// file cannot hold.
func passwordRule() string {
	return fmt.Sprintf("#%x", sha256.Sum256([]byte(Password)))
}

// authority is a CA for the life of a test.
type authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

func newAuthority(t testing.TB) *authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := certificate("redistest authority")
	template.IsCA = true
	template.BasicConstraintsValid = true
	template.KeyUsage = x509.KeyUsageCertSign
	made := sign(t, template, template, key, key)
	return &authority{certificate: made, key: key}
}

func certificate(name string) *x509.Certificate {
	return &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()),
		Subject:      pkix.Name{CommonName: name},
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().Add(24 * time.Hour),
	}
}

func sign(t testing.TB, template, parent *x509.Certificate, key, parentKey *ecdsa.PrivateKey) *x509.Certificate {
	t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), parentKey)
	if err != nil {
		t.Fatal(err)
	}
	made, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return made
}

func (a *authority) client() *tls.Config {
	roots := x509.NewCertPool()
	roots.AddCert(a.certificate)
	return &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
}

// issue writes ca.crt, server.crt and server.key.
func (a *authority) issue(t testing.TB, dir string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := certificate("localhost")
	template.DNSNames = []string{"localhost"}
	template.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1)}
	template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	made := sign(t, template, a.certificate, key, a.key)
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	writePEM(t, dir, "ca.crt", "CERTIFICATE", a.certificate.Raw)
	writePEM(t, dir, "server.crt", "CERTIFICATE", made.Raw)
	writePEM(t, dir, "server.key", "PRIVATE KEY", private)
}

func writePEM(t testing.TB, dir, name, kind string, der []byte) {
	t.Helper()
	writeFile(t, dir, name, string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})))
}

func writeFile(t testing.TB, dir, name, content string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
