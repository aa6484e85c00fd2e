package threat

import (
	"strings"
	"testing"
)

func TestSplitWords(t *testing.T) {
	for name, want := range map[string]string{
		"isAdmin":        "is admin",
		"is_admin":       "is admin",
		"IS-ADMIN":       "is admin",
		"Is Admin":       "is admin",
		"userID":         "user id",
		"HTTPServer":     "http server",
		"X-Amzn-Oidc":    "x amzn oidc",
		"oauth2Token":    "oauth2 token",
		"v2.7":           "v2 7",
		"/a//b/":         "a b",
		"Größe_Änderung": "größe änderung",
		"":               "",
		"--":             "",
	} {
		if got := strings.Join(splitWords(name), " "); got != want {
			t.Errorf("splitWords(%q) = %q, want %q", name, got, want)
		}
	}
}

func TestNamesMatch(t *testing.T) {
	for _, row := range []struct {
		pattern, name string
		want          bool
	}{
		{"role", "role", true},
		{"role", "userRole", false},
		{"role", "", false},
		{"* role", "role", true},
		{"* role", "userRole", true},
		{"* role", "role_id", false},
		{"role *", "role_id", true},
		{"* card * number", "cardNumber", true},
		{"* card * number", "credit_card_account_number", true},
		{"* card * number", "number_card", false},
		{"* id", "paid", false},
		{"*", "anything", true},
		{"*", "", false},
	} {
		if got := parseNames([]string{row.pattern}).match(row.name); got != row.want {
			t.Errorf("%q matches %q: %t, want %t", row.pattern, row.name, got, row.want)
		}
	}
}
