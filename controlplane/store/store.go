// Package store keeps what a control plane must not forget over a restart:
// the modes that an operator set, the last files that loaded without an
// error, and the last release of each service that was pushed.
//
// It is one SQLite database. A database that is damaged, or that a newer
// version wrote, is an error: an empty one in its place would silently put
// every policy back to the mode of its model.
package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"modernc.org/sqlite" // registers the driver "sqlite"
	codes "modernc.org/sqlite/lib"

	"github.com/threatgate/threatgate/internal/compile"
	"github.com/threatgate/threatgate/internal/policy"
	"github.com/threatgate/threatgate/internal/violation"
)

// FileName is the database's name in the state directory.
const FileName = "threatgate.db"

// migrations bring a database up to date, one after the other; how many have
// run is its version (PRAGMA user_version). Never change one: append.
var migrations = [...]string{
	`CREATE TABLE mode (
		api       TEXT NOT NULL,
		operation TEXT NOT NULL, -- label; '' is the whole API
		mode      TEXT NOT NULL,
		PRIMARY KEY (api, operation)
	) STRICT, WITHOUT ROWID;
	CREATE TABLE input (
		path    TEXT NOT NULL PRIMARY KEY,
		content BLOB NOT NULL
	) STRICT, WITHOUT ROWID;
	CREATE TABLE release (
		service TEXT NOT NULL PRIMARY KEY,
		digest  TEXT NOT NULL,
		saved   TEXT NOT NULL, -- RFC 3339
		content BLOB NOT NULL  -- compile.Release as JSON
	) STRICT, WITHOUT ROWID;`,
	// Coverage was two numbers.
	`UPDATE release SET content = CAST(json_remove(CAST(content AS TEXT), '$.Coverage') AS BLOB);`,
}

// Store is an open database.
type Store struct{ db *sql.DB }

// State is everything that a database holds.
type State struct {
	Modes    policy.Modes
	Inputs   map[string][]byte // by path: the content with which it last loaded
	Releases map[string]Saved  // by service
}

// Saved is a release and when it became the last good one.
type Saved struct {
	Release *compile.Release
	Time    time.Time
}

// Open opens the database in dir, which is made if it isn't there, for this
// process alone; "" keeps everything in memory until Close.
func Open(ctx context.Context, dir string) (*Store, error) {
	name := ":memory:"
	if dir != "" {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return nil, fmt.Errorf("state directory: %w", err)
		}
		file := filepath.Join(dir, FileName)
		name = (&url.URL{Scheme: "file", OmitHost: true, Path: file, RawQuery: "_pragma=locking_mode(exclusive)&_pragma=journal_mode(wal)&_pragma=synchronous(full)"}).String()
	}
	db, err := sql.Open("sqlite", name)
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1) // a database in memory is one connection's
	s := &Store{db}
	if err := s.prepare(ctx); err != nil {
		db.Close()
		return nil, fmt.Errorf("state database %s: %w", filepath.Join(dir, FileName), err)
	}
	return s, nil
}

// Close ends the use of the database.
func (s *Store) Close() error { return s.db.Close() }

func (s *Store) prepare(ctx context.Context) error {
	var verdict string
	if err := s.db.QueryRowContext(ctx, "PRAGMA quick_check(1)").Scan(&verdict); err != nil {
		if fault := (*sqlite.Error)(nil); errors.As(err, &fault) && fault.Code()&0xff == codes.SQLITE_BUSY {
			return errors.New("is in use by another control plane")
		}
		return fmt.Errorf("can't be read (move it away to start without its modes and releases): %w", err)
	}
	if verdict != "ok" {
		return fmt.Errorf("is damaged (move it away to start without its modes and releases): %s", verdict)
	}
	var version int
	if err := s.db.QueryRowContext(ctx, "PRAGMA user_version").Scan(&version); err != nil {
		return err
	}
	if version > len(migrations) {
		return fmt.Errorf("has version %d, of a newer threatgate; this one knows %d", version, len(migrations))
	}
	for ; version < len(migrations); version++ {
		step := fmt.Sprintf("%s; PRAGMA user_version = %d", migrations[version], version+1)
		if err := s.transact(ctx, func(tx *sql.Tx) error { return exec(ctx, tx, step) }); err != nil {
			return fmt.Errorf("migration %d: %w", version+1, err)
		}
	}
	return nil
}

// Load reads everything.
func (s *Store) Load(ctx context.Context) (*State, error) {
	state := &State{
		Modes:    policy.Modes{APIs: map[string]violation.Mode{}, Operations: map[policy.OperationKey]violation.Mode{}},
		Inputs:   map[string][]byte{},
		Releases: map[string]Saved{},
	}
	err := errors.Join(
		s.each(ctx, "SELECT api, operation, mode FROM mode", func(row *sql.Rows) error {
			var api, operation, text string
			if err := row.Scan(&api, &operation, &text); err != nil {
				return err
			}
			mode, ok := violation.ParseMode(text)
			switch {
			case !ok:
				return fmt.Errorf("unknown mode %q of %s", text, api)
			case operation == "":
				state.Modes.APIs[api] = mode
			default:
				state.Modes.Operations[policy.OperationKey{API: api, Operation: operation}] = mode
			}
			return nil
		}),
		s.each(ctx, "SELECT path, content FROM input", func(row *sql.Rows) error {
			var path string
			var content []byte
			err := row.Scan(&path, &content)
			state.Inputs[path] = append([]byte{}, content...) // an empty file has a content, too
			return err
		}),
		s.each(ctx, "SELECT service, saved, content FROM release", func(row *sql.Rows) error {
			var service, saved string
			var content []byte
			if err := row.Scan(&service, &saved, &content); err != nil {
				return err
			}
			at, err := time.Parse(time.RFC3339Nano, saved)
			if err != nil {
				return err
			}
			release := &compile.Release{}
			if err := json.Unmarshal(content, release); err != nil {
				return fmt.Errorf("release of %s: %w", service, err)
			}
			state.Releases[service] = Saved{release, at}
			return nil
		}),
	)
	if err != nil {
		return nil, fmt.Errorf("state database: %w", err)
	}
	return state, nil
}

// Save makes state what Load returns, all of it or, after an error, nothing.
// Rows that hold the same already are not written again.
func (s *Store) Save(ctx context.Context, state *State) error {
	err := s.transact(ctx, func(tx *sql.Tx) error {
		modes := table{"mode", []string{"api", "operation"}, []string{"mode"}, nil}
		for api, mode := range state.Modes.APIs {
			modes.rows = append(modes.rows, []any{api, "", mode.String()})
		}
		for key, mode := range state.Modes.Operations {
			modes.rows = append(modes.rows, []any{key.API, key.Operation, mode.String()})
		}
		inputs := table{"input", []string{"path"}, []string{"content"}, nil}
		for path, content := range state.Inputs {
			inputs.rows = append(inputs.rows, []any{path, append([]byte{}, content...)})
		}
		releases := table{"release", []string{"service"}, []string{"digest", "saved", "content"}, nil}
		stored, err := digests(ctx, tx)
		if err != nil {
			return err
		}
		for service, saved := range state.Releases {
			if stored[service] == saved.Release.Digest {
				releases.rows = append(releases.rows, []any{service})
				continue
			}
			content, err := json.Marshal(saved.Release)
			if err != nil {
				return err
			}
			releases.rows = append(releases.rows, []any{service, saved.Release.Digest, saved.Time.Format(time.RFC3339Nano), content})
		}
		for _, t := range []table{modes, inputs, releases} {
			if err := t.replace(ctx, tx); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("state database: %w", err)
	}
	return nil
}

// digests are those of the releases that are stored, by service.
func digests(ctx context.Context, tx *sql.Tx) (map[string]string, error) {
	stored := map[string]string{}
	rows, err := tx.QueryContext(ctx, "SELECT service, digest FROM release")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var service, digest string
		if err := rows.Scan(&service, &digest); err != nil {
			return nil, err
		}
		stored[service] = digest
	}
	return stored, rows.Err()
}

// table is what a table is to hold: in each row first the keys, then the
// values. A row of keys alone stays as it is.
type table struct {
	name         string
	keys, values []string
	rows         [][]any
}

func (t *table) replace(ctx context.Context, tx *sql.Tx) error {
	keys := strings.Join(t.keys, ", ")
	var set, differs []string
	for _, v := range t.values {
		set = append(set, v+" = excluded."+v)
		differs = append(differs, v+" IS NOT excluded."+v)
	}
	upsert := fmt.Sprintf("INSERT INTO %s (%s, %s) VALUES (?%s) ON CONFLICT DO UPDATE SET %s WHERE %s",
		t.name, keys, strings.Join(t.values, ", "), strings.Repeat(", ?", len(t.keys)+len(t.values)-1),
		strings.Join(set, ", "), strings.Join(differs, " OR "))
	if err := exec(ctx, tx, "CREATE TEMP TABLE kept AS SELECT "+keys+" FROM "+t.name+" WHERE false"); err != nil {
		return err
	}
	keep := "INSERT INTO kept VALUES (?" + strings.Repeat(", ?", len(t.keys)-1) + ")"
	for _, row := range t.rows {
		if len(row) > len(t.keys) {
			if err := exec(ctx, tx, upsert, row...); err != nil {
				return err
			}
		}
		if err := exec(ctx, tx, keep, row[:len(t.keys)]...); err != nil {
			return err
		}
	}
	return exec(ctx, tx, fmt.Sprintf("DELETE FROM %s WHERE (%s) NOT IN (SELECT %[2]s FROM kept); DROP TABLE kept", t.name, keys))
}

func (s *Store) each(ctx context.Context, query string, read func(*sql.Rows) error) error {
	rows, err := s.db.QueryContext(ctx, query)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := read(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

func (s *Store) transact(ctx context.Context, change func(*sql.Tx) error) error {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if err := change(tx); err != nil {
		return errors.Join(err, tx.Rollback())
	}
	return tx.Commit()
}

func exec(ctx context.Context, tx *sql.Tx, query string, args ...any) error {
	_, err := tx.ExecContext(ctx, query, args...)
	return err
}
