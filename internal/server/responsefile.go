package server

import "strings"

// fileOf is a file by its address, by a data: URL, or by its base64 alone; nil for none.
func fileOf(object map[string]any) map[string]any {
	text := func(name string) string {
		value, _ := object[name].(string)
		return value
	}
	var file map[string]any
	switch address, data := text("file_url"), text("file_data"); {
	case strings.HasPrefix(data, "data:"):
		file = map[string]any{"url": data}
	case data != "":
		file = map[string]any{"data": data}
	case address != "":
		file = map[string]any{"url": address}
	default:
		return nil
	}
	if called := text("filename"); called != "" {
		file["name"] = called
	}
	return file
}
