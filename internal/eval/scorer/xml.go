package scorer

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
)

// notXML: one well-formed XML document in UTF-8 with exactly one root, as
// encoding/xml reads it, no attribute twice. Entities but XML's own five, other
// encodings and text outside the root are refused; that a prefix is declared, and a
// DTD or a schema kept, is not looked at.
func notXML(text string) string {
	decoder := xml.NewDecoder(strings.NewReader(strings.TrimSpace(text)))
	depth, roots := 0, 0
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return strings.TrimPrefix(err.Error(), "XML syntax error on ")
		}
		switch t := token.(type) {
		case xml.StartElement:
			if depth == 0 {
				roots++
			}
			depth++
			if twice := attributeTwice(t.Attr); twice != "" {
				return fmt.Sprintf("the attribute %s of <%s> is given twice", twice, t.Name.Local)
			}
		case xml.EndElement:
			depth--
		case xml.CharData:
			if depth == 0 && strings.TrimSpace(string(t)) != "" {
				return "text outside the root: " + quote(strings.TrimSpace(string(t)))
			}
		}
	}
	if roots != 1 {
		return fmt.Sprintf("want one root element, got %d", roots)
	}
	return ""
}

func attributeTwice(attributes []xml.Attr) string {
	seen := make(map[xml.Name]bool, len(attributes))
	for _, a := range attributes {
		if seen[a.Name] {
			return a.Name.Local
		}
		seen[a.Name] = true
	}
	return ""
}
