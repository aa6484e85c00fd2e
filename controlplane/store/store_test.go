package store

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/threatgate/threatgate/internal/compile"
	"github.com/threatgate/threatgate/internal/policy"
	"github.com/threatgate/threatgate/internal/violation"
)

func open(t *testing.T, dir string) *Store {
	t.Helper()
	s, err := Open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func load(t *testing.T, s *Store) *State {
	t.Helper()
	state, err := s.Load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return state
}

var orders = Saved{
	Release: &compile.Release{
		Service: "orders",
		Digest:  strings.Repeat("5f", 32),
		Bundle:  []byte{0, 1, 2, 255},
		Gateway: compile.Gateway{
			Service: "orders", Listen: "127.0.0.1:10000", AllShadow: true, MaxBody: 1 << 20,
			Upstream: compile.Upstream{Host: "127.0.0.1", Port: 7001},
			Issuers:  []compile.Issuer{{ID: "login", Audiences: []string{"shop"}, JWKS: `{"keys":[]}`}},
		},
		Coverage: compile.Coverage{Operations: compile.Share{All: 3, Full: 2}},
	},
	Time: time.Date(2026, 11, 23, 12, 0, 0, 123456789, time.UTC),
}

var off = &State{Modes: policy.Modes{APIs: map[string]violation.Mode{"orders": violation.Off}}}

func TestStateSurvivesReopening(t *testing.T) {
	for _, dir := range []string{t.TempDir(), filepath.Join(t.TempDir(), "not there yet?#%")} {
		s := open(t, dir)
		before := &State{
			Modes: policy.Modes{
				APIs:       map[string]violation.Mode{"orders": violation.Shadow, "gone": violation.Off},
				Operations: map[policy.OperationKey]violation.Mode{{API: "orders", Operation: "gone"}: violation.Off},
			},
			Inputs:   map[string][]byte{"/m/gone.yaml": nil, "/m/model.yaml": []byte("kind:\n")},
			Releases: map[string]Saved{"gone": orders},
		}
		want := &State{
			Modes: policy.Modes{
				APIs:       map[string]violation.Mode{"": violation.Off, "orders": violation.Enforce},
				Operations: map[policy.OperationKey]violation.Mode{{API: "orders", Operation: "GET /orders"}: violation.Off},
			},
			Inputs:   map[string][]byte{"/m/model.yaml": []byte("kind: ThreatModel\n"), "/m/empty.yaml": {}},
			Releases: map[string]Saved{"orders": orders},
		}
		for _, err := range []error{
			s.Save(t.Context(), before),
			s.Save(t.Context(), want),
			s.Save(t.Context(), want),
			s.Close(),
		} {
			if err != nil {
				t.Fatal(err)
			}
		}
		if got := load(t, open(t, dir)); !reflect.DeepEqual(got, want) {
			t.Errorf("after reopening:\n got %+v\nwant %+v", got, want)
		}
	}
}

// A release that version 1 stored is there, but for its coverage, which was
// two numbers.
func TestMigration(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	if err := s.Save(t.Context(), &State{Releases: map[string]Saved{"orders": orders}}); err != nil {
		t.Fatal(err)
	}
	const old = `UPDATE release SET content = CAST(json_set(CAST(content AS TEXT), '$.Coverage', json('{"Operations": 3, "FullyEnforced": 2}')) AS BLOB); PRAGMA user_version = 1`
	if _, err := s.db.Exec(old); err != nil {
		t.Fatal(err)
	}
	s.Close()
	want := *orders.Release
	want.Coverage = compile.Coverage{}
	if got := load(t, open(t, dir)).Releases["orders"].Release; !reflect.DeepEqual(got, &want) {
		t.Errorf("after migration:\n got %+v\nwant %+v", got, &want)
	}
}

func TestInMemory(t *testing.T) {
	s := open(t, "")
	if err := s.Save(t.Context(), off); err != nil {
		t.Fatal(err)
	}
	if got := load(t, s).Modes.APIs["orders"]; got != violation.Off {
		t.Errorf("mode = %v, want off", got)
	}
	if got := load(t, open(t, "")); len(got.Modes.APIs) != 0 {
		t.Errorf("a second store in memory holds %v, want nothing", got.Modes)
	}
}

func TestUnusableDatabaseIsAnError(t *testing.T) {
	for _, tc := range []struct {
		name  string
		spoil func(t *testing.T, file string)
		want  string
	}{
		{"not a database", func(t *testing.T, file string) {
			write(t, file, bytes.Repeat([]byte("x"), 8192))
		}, "can't be read (move it away to start without its modes and releases)"},
		{"a page overwritten", func(t *testing.T, file string) {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			copy(data[4096:], bytes.Repeat([]byte{0xff}, 4096))
			write(t, file, data)
		}, "is damaged (move it away to start without its modes and releases)"},
		{"of a newer version", func(t *testing.T, file string) {
			s := open(t, filepath.Dir(file))
			if _, err := s.db.Exec(fmt.Sprintf("PRAGMA user_version = %d", len(migrations)+1)); err != nil {
				t.Fatal(err)
			}
			s.Close()
		}, fmt.Sprintf("has version %d, of a newer threatgate; this one knows %d", len(migrations)+1, len(migrations))},
	} {
		t.Run(tc.name, func(t *testing.T) {
			dir := t.TempDir()
			s := open(t, dir)
			if err := s.Save(t.Context(), off); err != nil {
				t.Fatal(err)
			}
			s.Close()
			file := filepath.Join(dir, FileName)
			tc.spoil(t, file)
			if s, err := Open(t.Context(), dir); err == nil {
				s.Close()
				t.Fatal("Open succeeded")
			} else if !strings.Contains(err.Error(), file) || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("Open: %v\nwant %s … %s", err, file, tc.want)
			}
		})
	}
}

func TestOneControlPlaneAtATime(t *testing.T) {
	dir := t.TempDir()
	first := open(t, dir)
	if second, err := Open(t.Context(), dir); err == nil {
		second.Close()
		t.Error("a database was opened twice")
	} else if want := "state database " + filepath.Join(dir, FileName) + ": is in use by another control plane"; err.Error() != want {
		t.Errorf("Open: %v, want %s", err, want)
	}
	first.Close()
	open(t, dir)
}

func TestUnknownModeIsAnError(t *testing.T) {
	s := open(t, "")
	if _, err := s.db.Exec("INSERT INTO mode VALUES ('orders', '', 'canary')"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Load(t.Context()); err == nil || err.Error() != `state database: unknown mode "canary" of orders` {
		t.Errorf("Load: %v", err)
	}
}

func write(t *testing.T, file string, data []byte) {
	t.Helper()
	if err := os.WriteFile(file, data, 0o600); err != nil {
		t.Fatal(err)
	}
}
