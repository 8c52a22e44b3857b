package api

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base32"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
)

// Role is what the owner of a token may do.
type Role string

const (
	RoleRegister Role = "register" // sales and the terminal's state
	RoleOperator Role = "operator" // what a register may, and what needs a person's judgement
	RoleMetrics  Role = "metrics"  // numbers for monitoring, nothing else
)

// Roles lists every role.
func Roles() []Role { return []Role{RoleRegister, RoleOperator, RoleMetrics} }

const (
	tokenBytes    = 32 // 256 bits
	minToken      = 32 // characters
	maxToken      = 256
	maxTokenFile  = 64 << 10 // bytes
	tokenFileMode = 0o640
	tokenDirMode  = 0o750
)

// Tokens knows every role's tokens, by their hashes. It is safe for concurrent use.
type Tokens struct {
	dir   string
	known atomic.Pointer[[]knownToken]
}

type knownToken struct {
	hash [sha256.Size]byte
	role Role
}

// OpenTokens reads the files register.token, operator.token and metrics.token of
// a folder. A file that is missing is made, mode 0640, with one random token of
// 256 bits; so is the folder, mode 0750. A file has a token a line, of at least
// 32 letters, digits, - or _; empty lines and lines that begin with # do not
// count. Any number of tokens is good at a time, so that one can be replaced
// without an interruption: add the new one, call Reload, change the register,
// take the old one away, call Reload.
//
// Every mistake is reported, with file and line, never with a token. A file that
// others can read or change is a mistake.
func OpenTokens(dir string) (*Tokens, error) {
	if err := os.MkdirAll(dir, tokenDirMode); err != nil {
		return nil, fmt.Errorf("tokens: %w", err)
	}
	for _, role := range Roles() {
		if err := ensureTokenFile(dir, role); err != nil {
			return nil, fmt.Errorf("tokens: %w", err)
		}
	}
	t := &Tokens{dir: dir}
	if err := t.Reload(); err != nil {
		return nil, err
	}
	return t, nil
}

// Reload reads the files again. After an error the tokens are as before.
func (t *Tokens) Reload() error {
	var all []knownToken
	var errs []error
	for _, role := range Roles() {
		tokens, err := readTokenFile(tokenPath(t.dir, role))
		if err != nil {
			errs = append(errs, err)
			continue
		}
		for _, token := range tokens {
			known := knownToken{hash: sha256.Sum256([]byte(token)), role: role}
			if other := roleOf(all, known.hash); other != "" && other != role {
				errs = append(errs, fmt.Errorf("the roles %s and %s have a token in common", other, role))
			}
			all = append(all, known)
		}
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("tokens: %w", err)
	}
	t.known.Store(&all)
	return nil
}

// role returns the role of a token, "" for a wrong one.
func (t *Tokens) role(token string) Role {
	return roleOf(*t.known.Load(), sha256.Sum256([]byte(token)))
}

// roleOf takes the same time wherever the token is, and whether it is there.
func roleOf(known []knownToken, hash [sha256.Size]byte) Role {
	var role Role
	for i := range known {
		if subtle.ConstantTimeCompare(known[i].hash[:], hash[:]) == 1 {
			role = known[i].role
		}
	}
	return role
}

func tokenPath(dir string, role Role) string { return filepath.Join(dir, string(role)+".token") }

// ensureTokenFile makes a role's file if it is missing, whole or not at all.
func ensureTokenFile(dir string, role Role) error {
	path := tokenPath(dir, role)
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	secret := make([]byte, tokenBytes)
	rand.Read(secret) // never fails: crypto/rand
	token := strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(secret))
	return writeDurably(dir, path, []byte(token+"\n"))
}

func writeDurably(dir, path string, content []byte) (err error) {
	file, err := os.CreateTemp(dir, ".token-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(file.Name()))
		}
	}()
	_, err = file.Write(content)
	err = errors.Join(err, file.Chmod(tokenFileMode), file.Sync(), file.Close())
	if err != nil {
		return err
	}
	if err := os.Rename(file.Name(), path); err != nil {
		return err
	}
	return syncFolder(dir)
}

func syncFolder(dir string) error {
	folder, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}

func readTokenFile(path string) (tokens []string, err error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is not a file", path)
	}
	if info.Mode().Perm()&0o027 != 0 {
		return nil, fmt.Errorf("%s has mode %04o: its group may read it, others nothing; chmod 0640", path, info.Mode().Perm())
	}
	content, err := io.ReadAll(io.LimitReader(file, maxTokenFile+1))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if len(content) > maxTokenFile {
		return nil, fmt.Errorf("%s has more than %d bytes", path, maxTokenFile)
	}
	return parseTokens(path, string(content))
}

func parseTokens(path, content string) (tokens []string, err error) {
	var errs []error
	number := 0
	for line := range strings.Lines(content) {
		number++
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		if len(line) < minToken || len(line) > maxToken || strings.ContainsFunc(line, isNoTokenRune) {
			errs = append(errs, fmt.Errorf("%s:%d: a token has %d to %d letters, digits, - or _", path, number, minToken, maxToken))
			continue
		}
		tokens = append(tokens, line)
	}
	if len(tokens) == 0 && len(errs) == 0 {
		errs = append(errs, fmt.Errorf("%s holds no token: write one, or delete the file to have one made", path))
	}
	return tokens, errors.Join(errs...)
}

func isNoTokenRune(r rune) bool {
	return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-' && r != '_'
}
