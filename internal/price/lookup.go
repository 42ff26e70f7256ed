package price

import (
	"net/url"
	"strings"
)

// Lookup finds the list price of a model by its vendor's server and by the name that
// it has on that vendor's wire. Only what stands in the table is known: a snapshot
// ("gpt-4o-2024-08-06") that is not listed may cost something else, and so does the
// same model at another vendor, behind a gateway or in another region. A price: in
// llmx.yaml comes before the table.
func Lookup(baseURL, wireModel string) (Price, bool) {
	price, ok := builtIn().standard[product{hostOf(baseURL), wireModel}]
	return price, ok
}

// LookupBatch finds what the vendor charges for the same model where requests are
// handed in by the file and answered within a day. Unknown where the vendor has no
// such price, or no source named one.
func LookupBatch(baseURL, wireModel string) (Price, bool) {
	price, ok := builtIn().batch[product{hostOf(baseURL), wireModel}]
	return price, ok
}

// Checked is the day (YYYY-MM-DD) on which the table was compared with its sources.
func Checked() string { return builtIn().checked }

// hostOf is "" for what is no address of a vendor: another port is another server.
func hostOf(baseURL string) string {
	u, err := url.Parse(baseURL)
	if err != nil || u.Port() != "" && u.Port() != "443" {
		return ""
	}
	return strings.ToLower(u.Hostname())
}
