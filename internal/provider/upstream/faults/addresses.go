package faults

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"math/big"
	"net"
	"sync"
	"time"
)

// UntrustedURL is the base URL of the same models behind a certificate that nobody
// has signed.
func (s *Server) UntrustedURL() string {
	certificate, err := selfSigned()
	if err != nil {
		s.t.Fatalf("faults: %v", err)
	}
	return "https://" + s.serve("untrusted.test:443", s.answer, &tls.Config{Certificates: []tls.Certificate{certificate}}) + "/v1"
}

// RefusedURL is a base URL at which nothing listens.
func (s *Server) RefusedURL() string { return "http://" + s.network.refusing(s.t) + "/v1" }

// UnreachableURL is a base URL to which connecting hangs. On loopback it needs
// Linux; elsewhere it skips the test.
func (s *Server) UnreachableURL() string { return "http://" + s.network.unreachable(s.t) + "/v1" }

// UnknownURL is a base URL whose host has no address. Outside of a bubble it asks
// the machine's resolver.
func (s *Server) UnknownURL() string { return "http://no-such-host.invalid:80/v1" }

// MuteURL is a base URL where connections are accepted and nothing else happens: no
// TLS handshake comes to its end.
func (s *Server) MuteURL() string {
	listener, address := s.listen("mute.test:443")
	s.serving.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return // the test is over
			}
			s.closes(conn)
		}
	})
	return "https://" + address + "/v1"
}

// selfSigned makes a certificate, once: for 127.0.0.1 and the host of memory, and
// for any year, as the clock of a bubble begins in 2000.
var selfSigned = sync.OnceValues(func() (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		NotBefore:    time.Unix(0, 0), NotAfter: time.Unix(1<<32, 0),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, DNSNames: []string{"untrusted.test"},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, err
})
