package configs

import (
	"sort"
	"strconv"
	"strings"

	"github.com/pelletier/go-toml/v2/unstable"
)

// lineIndex is where every key and list element of a document stands, by path.
type lineIndex map[string]int

// of is the line of the path, or of the nearest table around it; 0 if there is none.
func (l lineIndex) of(path string) int {
	for path != "" {
		if line, ok := l[path]; ok {
			return line
		}
		path = path[:max(0, strings.LastIndexAny(path, ".["))]
	}
	return 0
}

// maxDepth bounds the index: no key of ours is as deep, and the paths of a
// hostile document would grow with the square of its depth.
const maxDepth = 6

type indexer struct {
	parser   unstable.Parser
	newlines []int // offsets
	lines    lineIndex
	elements map[string]int // number of [[tables]] so far, by path
}

// indexLines reads a document that the TOML library has found free of syntax errors.
func indexLines(document []byte) lineIndex {
	x := indexer{lines: lineIndex{}, elements: map[string]int{}}
	for i, b := range document {
		if b == '\n' {
			x.newlines = append(x.newlines, i)
		}
	}
	x.parser.Reset(document)
	table, depth := "", 0
	for x.parser.NextExpression() {
		node := x.parser.Expression()
		switch node.Kind {
		case unstable.Table, unstable.ArrayTable:
			table, depth = x.key("", 0, node)
		case unstable.KeyValue:
			path, depth := x.key(table, depth, node)
			x.value(path, depth, node.Value())
		}
	}
	return x.lines
}

// key notes every part of a dotted key and returns the path it leads to. A part
// that names a list of tables leads to its last table, [[part]] to a new one.
func (x *indexer) key(path string, depth int, node *unstable.Node) (string, int) {
	for parts := node.Key(); parts.Next() && depth < maxDepth; depth++ {
		line := x.line(parts.Node().Raw)
		path = join(path, string(parts.Node().Data))
		x.note(path, line)
		if node.Kind == unstable.ArrayTable && parts.IsLast() {
			x.elements[path]++
		}
		if n := x.elements[path]; n > 0 {
			path = index(path, n-1)
			x.note(path, line)
		}
	}
	return path, depth
}

func (x *indexer) value(path string, depth int, node *unstable.Node) {
	if depth >= maxDepth {
		return
	}
	children := node.Children()
	switch node.Kind {
	case unstable.Array:
		for i := 0; children.Next(); i++ {
			element := index(path, i)
			if raw := children.Node().Raw; raw.Length > 0 { // a list in a list has none
				x.note(element, x.line(raw))
			}
			x.value(element, depth+1, children.Node())
		}
	case unstable.InlineTable:
		for children.Next() {
			below, depth := x.key(path, depth, children.Node())
			x.value(below, depth, children.Node().Value())
		}
	}
}

// note keeps the first place of a path.
func (x *indexer) note(path string, line int) {
	if _, ok := x.lines[path]; !ok {
		x.lines[path] = line
	}
}

func (x *indexer) line(raw unstable.Range) int {
	return sort.SearchInts(x.newlines, int(raw.Offset)) + 1
}

// join appends a key to a path, quoted unless it is a bare key of TOML, and cut
// if it is longer than any of ours.
func join(path, key string) string {
	const longest = 40
	if len(key) > longest {
		key = strings.ToValidUTF8(key[:longest], "") + "…"
	}
	if key == "" || strings.ContainsFunc(key, func(r rune) bool { return !isBare(r) }) {
		key = strconv.Quote(key)
	}
	if path == "" {
		return key
	}
	return path + "." + key
}

// index is the path of a list's element, counted from 0.
func index(path string, i int) string { return path + "[" + strconv.Itoa(i) + "]" }

func isBare(r rune) bool {
	return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || r == '_' || r == '-'
}
