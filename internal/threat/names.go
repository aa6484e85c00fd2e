package threat

import (
	"slices"
	"strings"
	"unicode"
)

// names is a list of patterns for names of things. A pattern is words, of
// which "*" stands for any number: "reset password", "* id", "* admin *".
type names [][]string

func parseNames(patterns []string) names {
	list := make(names, len(patterns))
	for i, p := range patterns {
		list[i] = strings.Fields(strings.ToLower(p))
	}
	return list
}

// match reports whether some pattern matches the whole of name.
func (list names) match(name string) bool { return list.matchWords(splitWords(name)) }

func (list names) matchWords(words []string) bool {
	return len(words) > 0 && slices.ContainsFunc(list, func(p []string) bool { return matchWords(p, words) })
}

func matchWords(pattern, words []string) bool {
	switch {
	case len(pattern) == 0:
		return len(words) == 0
	case pattern[0] == "*":
		return matchWords(pattern[1:], words) || len(words) > 0 && matchWords(pattern, words[1:])
	}
	return len(words) > 0 && pattern[0] == words[0] && matchWords(pattern[1:], words[1:])
}

// splitWords splits a name as people write them (isAdmin, is_admin, IS-ADMIN,
// HTTPServer) into lower-case words. Digits belong to the word before them.
func splitWords(name string) []string {
	var words []string
	var word []rune
	flush := func() {
		if len(word) > 0 {
			words = append(words, strings.ToLower(string(word)))
			word = word[:0]
		}
	}
	runes := []rune(name)
	for i, r := range runes {
		switch {
		case !unicode.IsLetter(r) && !unicode.IsDigit(r):
			flush()
			continue
		case unicode.IsUpper(r) && i > 0:
			afterLower := !unicode.IsUpper(runes[i-1])
			beforeLower := i+1 < len(runes) && unicode.IsLower(runes[i+1])
			if afterLower || beforeLower {
				flush()
			}
		}
		word = append(word, r)
	}
	flush()
	return words
}
