package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"path/filepath"
	"testing"
	"time"
)

// authority makes certificates.
type authority struct {
	t    *testing.T
	dir  string
	key  *ecdsa.PrivateKey
	cert *x509.Certificate
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	a := &authority{t: t, dir: t.TempDir()}
	a.cert, a.key = a.issue("ca", nil)
	return a
}

// issue writes <name>.pem and <name>.key; without a parent it is the
// authority's own.
func (a *authority) issue(name string, parent *authority) (*x509.Certificate, *ecdsa.PrivateKey) {
	a.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name},
		NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		IsCA: parent == nil, BasicConstraintsValid: true,
	}
	signer, signerKey := template, key
	if parent != nil {
		signer, signerKey = parent.cert, parent.key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, signer, key.Public(), signerKey)
	if err != nil {
		a.t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		a.t.Fatal(err)
	}
	write(a.t, a.file(name+".pem"), string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})))
	write(a.t, a.file(name+".key"), string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret})))
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		a.t.Fatal(err)
	}
	return cert, key
}

func (a *authority) file(name string) string { return filepath.Join(a.dir, name) }

func (a *authority) pair(name string) tls.Certificate {
	a.t.Helper()
	a.issue(name, a)
	pair, err := tls.LoadX509KeyPair(a.file(name+".pem"), a.file(name+".key"))
	if err != nil {
		a.t.Fatal(err)
	}
	return pair
}

func TestMutualTLS(t *testing.T) {
	ours, theirs := newAuthority(t), newAuthority(t)
	ours.issue("server", ours)
	config, err := (&tlsFlags{ours.file("server.pem"), ours.file("server.key"), ours.file("ca.pem")}).config()
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(ours.cert)
	for _, tc := range []struct {
		name   string
		client *tls.Config
		want   bool
	}{
		{"ours", &tls.Config{Certificates: []tls.Certificate{ours.pair("client")}}, true},
		{"none", &tls.Config{}, false},
		{"another's", &tls.Config{Certificates: []tls.Certificate{theirs.pair("client")}}, false},
		{"ours, in TLS 1.2", &tls.Config{Certificates: []tls.Certificate{ours.pair("old")}, MaxVersion: tls.VersionTLS12}, false},
	} {
		near, far := net.Pipe()
		tc.client.RootCAs, tc.client.ServerName = roots, "127.0.0.1"
		go func() {
			client := tls.Client(far, tc.client)
			client.Handshake() // the server's verdict counts
			client.Read(make([]byte, 1))
		}()
		err := tls.Server(near, config).Handshake()
		if got := err == nil; got != tc.want {
			t.Errorf("a client with a certificate of %s: %v, want accepted: %t", tc.name, err, tc.want)
		}
		near.Close()
	}
}

func TestTLSFilesThatDoNotLoad(t *testing.T) {
	a := newAuthority(t)
	a.issue("server", a)
	garbage := write(t, a.file("garbage.pem"), "garbage")
	for _, tc := range []struct {
		flags tlsFlags
		want  string
	}{
		{tlsFlags{garbage, a.file("server.key"), a.file("ca.pem")}, "--tls-cert, --tls-key: tls: failed to find any PEM data in certificate input"},
		{tlsFlags{a.file("server.pem"), a.file("server.key"), garbage}, "--tls-client-ca: " + garbage + " has no certificate"},
		{tlsFlags{a.file("server.pem"), a.file("server.key"), a.file("no.pem")}, "--tls-client-ca: open " + a.file("no.pem") + ": no such file or directory"},
	} {
		if _, err := tc.flags.config(); err == nil || err.Error() != tc.want {
			t.Errorf("%+v: %v, want %s", tc.flags, err, tc.want)
		}
	}
}
