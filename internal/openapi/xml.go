package openapi

import "github.com/threatgate/threatgate/internal/inventory"

// xml reads an XML object (OAS section 4.8.26). It only matters to bodies of
// XML, so what is wrong with it is a warning.
func (l *loader) xml(f *field) *inventory.XML {
	x := &inventory.XML{Pos: f.pos()}
	if f.value.kind != object {
		l.diags.Warnf(f.value.pos(), "xml must be %s, not %s; it is ignored", object, f.value.kind)
		return nil
	}
	for i := range f.value.fields {
		f := &f.value.fields[i]
		want := text
		switch f.name {
		case "attribute", "wrapped":
			want = boolean
		case "name", "namespace", "prefix":
		default:
			l.unknown(f, "an XML object")
			continue
		}
		if f.value.kind != want {
			l.diags.Warnf(f.value.pos(), "%s must be %s, not %s; it is ignored", f.label(), want, f.value.kind)
			continue
		}
		switch f.name {
		case "name":
			x.Name = f.value.text
		case "namespace":
			x.Namespace = f.value.text
		case "prefix":
			x.Prefix = f.value.text
		case "attribute":
			x.Attribute = f.value.text == "true"
		case "wrapped":
			x.Wrapped = f.value.text == "true"
		}
	}
	return x
}
