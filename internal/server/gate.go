package server

import (
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// entersWithoutKey refuses who may not ask while there are no keys. Only this machine
// may: the peer's address is looked at, and not the listener's alone. That does not keep
// the browser of this machine out, in which pages from anywhere run. A page whose name
// was made to lead here (DNS rebinding) gives itself away by the Host that it names, any
// other by its Origin, or by what the browser says of where a request comes from. Where
// there are keys, a page has none, unless it was given one.
func (s *Server) entersWithoutKey(r *http.Request) error {
	switch {
	case !loopbackPeer(r.RemoteAddr):
		return refuse(http.StatusForbidden, "loopback_only", "there are no keys, so only the machine of the server itself is served; llmx keys new NAME makes a key")
	case forwarded(r.Header):
		return refuse(http.StatusForbidden, "loopback_only", "there are no keys, so nobody is served through a proxy, whose callers may be anywhere; llmx keys new NAME makes a key")
	case !loopbackHost(r.Host):
		return refuse(http.StatusForbidden, "host_not_allowed", "there are no keys, so the server is asked as localhost alone, not as %q; llmx keys new NAME makes a key", cut(r.Host, 100))
	case foreign(r) && !slices.Contains(s.Origins, r.Header.Get("Origin")):
		return refuse(http.StatusForbidden, "origin_not_allowed", "pages in a browser may not ask, but for those of the origins that are listed")
	}
	return nil
}

func loopbackPeer(address string) bool {
	peer, err := netip.ParseAddrPort(address)
	return err == nil && peer.Addr().Unmap().IsLoopback()
}

// forwarded reports a request that a proxy passes on, as it says itself.
func forwarded(header http.Header) bool {
	return slices.ContainsFunc([]string{"Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-Ip", "Via"}, func(name string) bool {
		return len(header[name]) > 0
	})
}

func loopbackHost(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.TrimSuffix(strings.ToLower(host), ".")
	if host == "localhost" {
		return true
	}
	ip, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return err == nil && ip.Unmap().IsLoopback()
}

// foreign reports a request of a page that did not come from here.
func foreign(r *http.Request) bool {
	if origin := r.Header.Get("Origin"); origin != "" && origin != "http://"+r.Host && origin != "https://"+r.Host {
		return true
	}
	switch r.Header.Get("Sec-Fetch-Site") {
	case "", "same-origin", "none": // not a browser, the page itself, the user's own hand
		return false
	}
	return true
}

// cut bounds what is repeated of what a caller sent, in bytes.
func cut(text string, most int) string {
	if len(text) > most {
		return strings.ToValidUTF8(text[:most], "") + "…"
	}
	return text
}
