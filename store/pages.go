package store

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"os"
	"slices"
)

// The pages of a bbolt file, as its format version 2 lays them out. They are
// walked here before bbolt is let at a file whose health is in question: it
// trusts what it reads, and on some damage panics in a goroutine of its own,
// recurses until the stack is full, or never ends. All numbers are of the
// machine's byte order.
const (
	pageHeader  = 16 // id (8), kind (2), entries (2), pages that follow and belong to it (4)
	pageElement = 16 // of a branch: place (4), key size (4), page (8); of a leaf: kind (4), place (4), key size (4), value size (4)

	kindBranch = 0x01
	kindLeaf   = 0x02
	kindMeta   = 0x04
	kindFree   = 0x10

	leafBucket = 0x01

	bboltMagic   = 0xED0CDAED
	bboltVersion = 2

	maxPageDepth = 64
)

// fileMeta is one of bbolt's two heads of the file; the newer valid one counts.
type fileMeta struct {
	pageSize             uint32
	root, free, high, tx uint64
}

func readFileMeta(page []byte) (m fileMeta, err error) {
	if len(page) < pageHeader+64 {
		return m, fmt.Errorf("it is cut short")
	}
	b, order := page[pageHeader:], binary.NativeEndian
	h := fnv.New64a()
	h.Write(b[:56])
	switch {
	case order.Uint32(b) != bboltMagic || order.Uint32(b[4:]) != bboltVersion:
		return m, fmt.Errorf("it does not begin as it must")
	case h.Sum64() != order.Uint64(b[56:]):
		return m, fmt.Errorf("it does not match its checksum")
	}
	m = fileMeta{pageSize: order.Uint32(b[8:]), root: order.Uint64(b[16:]), free: order.Uint64(b[32:]), high: order.Uint64(b[40:]), tx: order.Uint64(b[48:])}
	if m.pageSize < 1024 || m.pageSize > 64<<10 || m.pageSize&(m.pageSize-1) != 0 {
		return m, fmt.Errorf("it gives a page size of %d bytes", m.pageSize)
	}
	return m, nil
}

// pages walks a file's pages.
type pages struct {
	file *os.File
	size int64
	meta fileMeta
	used []byte // 0: not seen, 1: in use, 2: free
	tell func(bucket, problem string)
	// enter says whether a page is walked whose keys are from least on and below
	// most; nil is no bound. Where enter is nil, each is.
	enter func(bucket string, least, most []byte) bool
	open  [][]byte // ids of the open sales, sorted, once that bucket was walked
}

// walkPages tells what is wrong with the pages of a file, and reports whether
// bbolt may read it: what it would follow leads where it should.
func walkPages(file *os.File, tell func(bucket, problem string)) (readable bool, err error) {
	p := &pages{file: file, tell: tell}
	readable, err = p.walk()
	if readable {
		for id, use := range p.used {
			if use == 0 {
				tell("", fmt.Sprintf("page %d is neither in use nor free", id))
			}
		}
	}
	return readable, err
}

// checkPages refuses a file that bbolt must not read: all of it, or only what is
// read at a start. That is few pages, however long the history: those of the small
// buckets, the way to the journal's end, and the ways to the open sales.
func checkPages(file *os.File, atStart bool) error {
	var last string
	p := &pages{file: file, tell: func(bucket, problem string) {
		if last = problem; bucket != "" {
			last = "bucket " + bucket + ": " + problem
		}
	}}
	if atStart {
		p.enter = p.readAtStart
	}
	readable, err := p.walk()
	if err == nil && !readable {
		err = fmt.Errorf("%w: %s", ErrDamaged, last)
	}
	return err
}

func (p *pages) readAtStart(bucket string, least, most []byte) bool {
	switch bucket {
	case string(bucketJournal):
		return most == nil
	case string(bucketKeys), string(bucketRequests):
		return false
	case string(bucketSales): // "open" was walked before: buckets are in order
		i, _ := slices.BinarySearchFunc(p.open, least, bytes.Compare)
		return i < len(p.open) && (most == nil || bytes.Compare(p.open[i], most) < 0)
	}
	return true
}

func (p *pages) walk() (readable bool, err error) {
	info, err := p.file.Stat()
	if err != nil {
		return false, err
	}
	if p.size = info.Size(); !p.chooseMeta() {
		return false, nil
	}
	if most := uint64(p.size) / uint64(p.meta.pageSize); p.meta.high > most || p.meta.high < 4 {
		p.tell("", fmt.Sprintf("%d bytes are left of %d pages", p.size, p.meta.high))
		return false, nil
	}
	p.used = make([]byte, p.meta.high)
	p.used[0], p.used[1] = 1, 1
	readable = p.tree("", p.meta.root, nil, nil, 0)
	return p.freePages() && readable, nil
}

// chooseMeta picks the newer of the two heads. One that cannot be read is told:
// a power cut within a commit leaves that, and so does a flipped bit, which takes
// the last commit away.
func (p *pages) chooseMeta() bool {
	first := make([]byte, 4096)
	n, _ := p.file.ReadAt(first, 0)
	m0, err0 := readFileMeta(first[:n])
	size := m0.pageSize
	if err0 != nil {
		size = uint32(os.Getpagesize())
	}
	second := make([]byte, 4096)
	n, _ = p.file.ReadAt(second, int64(size))
	m1, err1 := readFileMeta(second[:n])
	if err0 != nil && err1 != nil {
		p.tell("", fmt.Sprintf("it is no bbolt file: its first page: %v; its second: %v", err0, err1))
		return false
	}
	for id, page := range [][]byte{first, second} {
		err := [2]error{err0, err1}[id]
		if err == nil && (binary.NativeEndian.Uint64(page) != uint64(id) || binary.NativeEndian.Uint16(page[8:]) != kindMeta) {
			err = fmt.Errorf("its header was altered")
		}
		if err != nil {
			p.tell("", fmt.Sprintf("head %d of the file: %v; a power cut in the middle of a commit leaves that until the next commit, "+
				"and so does a flipped bit, by which the last commit may be gone", id, err))
		}
	}
	switch {
	case err0 != nil || err1 == nil && m1.tx > m0.tx:
		p.meta = m1
	default:
		p.meta = m0
	}
	return true
}

// tree walks the tree below a page: keys from least on and below most, if set.
func (p *pages) tree(bucket string, id uint64, least, most []byte, depth int) bool {
	page, ok := p.read(bucket, id)
	if !ok {
		return false
	}
	bad := func(format string, args ...any) bool {
		p.tell(bucket, fmt.Sprintf("page %d: ", id)+fmt.Sprintf(format, args...))
		return false
	}
	if depth > maxPageDepth {
		return bad("it is %d pages deep", depth)
	}
	order := binary.NativeEndian
	switch kind := order.Uint16(page[8:]); kind {
	case kindLeaf:
		return p.leaf(bucket, id, page, least, most, depth)
	case kindBranch:
		count := int(order.Uint16(page[10:]))
		if count < 1 || pageHeader+count*pageElement > len(page) {
			return bad("it cannot have %d entries", count)
		}
		keys, children := make([][]byte, count), make([]uint64, count)
		for i := range count {
			at := pageHeader + i*pageElement
			e := page[at:]
			key, ok := within(page, at, order.Uint32(e), order.Uint32(e[4:]))
			if !ok || !ordered(keys[:i], key, least, most) {
				return bad("key %d is out of place", i)
			}
			keys[i], children[i] = key, order.Uint64(e[8:])
		}
		return p.children(bucket, keys, children, least, most, depth)
	default:
		return bad("it is of kind %#x in a tree", kind)
	}
}

// children walks the pages below one of a tree.
func (p *pages) children(bucket string, keys [][]byte, children []uint64, least, most []byte, depth int) bool {
	good := true
	for i, child := range children {
		lowest, upper := keys[i], most
		if i == 0 {
			lowest = least // what is below the first key is looked for here too
		}
		if i+1 < len(keys) {
			upper = keys[i+1]
		}
		if p.enter == nil || p.enter(bucket, lowest, upper) {
			good = p.tree(bucket, child, keys[i], upper, depth+1) && good
		}
	}
	return good
}

func (p *pages) leaf(bucket string, id uint64, page, least, most []byte, depth int) bool {
	bad := func(format string, args ...any) bool {
		p.tell(bucket, fmt.Sprintf("page %d: ", id)+fmt.Sprintf(format, args...))
		return false
	}
	order := binary.NativeEndian
	count := int(order.Uint16(page[10:]))
	if pageHeader+count*pageElement > len(page) {
		return bad("it cannot have %d entries", count)
	}
	good := true
	var last [][]byte
	for i := range count {
		at := pageHeader + i*pageElement
		e := page[at:]
		kind, keySize, valueSize := order.Uint32(e), order.Uint32(e[8:]), order.Uint32(e[12:])
		key, ok := within(page, at, order.Uint32(e[4:]), keySize)
		if !ok || !ordered(last, key, least, most) {
			return bad("key %d is out of place", i)
		}
		last = [][]byte{key}
		if bucket == string(bucketOpen) {
			p.open = append(p.open, key)
		}
		value, ok := within(page, at, order.Uint32(e[4:])+keySize, valueSize)
		switch {
		case !ok || uint64(order.Uint32(e[4:]))+uint64(keySize) > uint64(len(page)):
			return bad("value %d is out of place", i)
		case bucket == "" && kind == leafBucket:
			good = p.bucket(string(key), value, depth) && good
		case bucket == "" || kind != 0:
			return bad("entry %d is of kind %#x", i, kind)
		}
	}
	return good
}

// bucket walks a bucket: its header, then either the page itself or its tree.
func (p *pages) bucket(name string, value []byte, depth int) bool {
	const header = 16 // root page (8), sequence (8)
	if len(value) < header {
		p.tell(name, "its header is cut short")
		return false
	}
	order := binary.NativeEndian
	if order.Uint64(value[8:]) != 0 {
		p.tell(name, "its header was altered")
	}
	if root := order.Uint64(value); root != 0 {
		return p.tree(name, root, nil, nil, depth+1)
	}
	inline := value[header:]
	if len(inline) < pageHeader || order.Uint16(inline[8:]) != kindLeaf {
		p.tell(name, "the page within its header was altered")
		return false
	}
	return p.leaf(name, 0, inline, nil, nil, depth+1)
}

// read returns a page with those that belong to it, each seen for the first time.
func (p *pages) read(bucket string, id uint64) ([]byte, bool) {
	bad := func(problem string) ([]byte, bool) {
		p.tell(bucket, fmt.Sprintf("page %d: %s", id, problem))
		return nil, false
	}
	if id < 2 || id >= p.meta.high {
		return bad("there is no such page")
	}
	size := int64(p.meta.pageSize)
	page := make([]byte, size)
	if _, err := p.file.ReadAt(page, int64(id)*size); err != nil {
		return bad(err.Error())
	}
	if own := binary.NativeEndian.Uint64(page); own != id {
		return bad(fmt.Sprintf("it calls itself page %d", own))
	}
	more := uint64(binary.NativeEndian.Uint32(page[12:]))
	if id+more >= p.meta.high {
		return bad("it goes on beyond the last page")
	}
	for i := id; i <= id+more; i++ {
		if p.used[i] != 0 {
			return bad(fmt.Sprintf("page %d is used twice", i))
		}
		p.used[i] = 1
	}
	if more > 0 {
		page = make([]byte, int64(more+1)*size)
		if _, err := p.file.ReadAt(page, int64(id)*size); err != nil {
			return bad(err.Error())
		}
	}
	return page, true
}

// freePages reads the list of pages that may be written over.
func (p *pages) freePages() bool {
	bad := func(format string, args ...any) bool {
		p.tell("", "the list of free pages: "+fmt.Sprintf(format, args...))
		return false
	}
	if p.meta.free == ^uint64(0) { // none was kept: bbolt finds the free pages by itself
		for id, use := range p.used {
			if use == 0 {
				p.used[id] = 2
			}
		}
		return true
	}
	page, ok := p.read("", p.meta.free)
	if !ok {
		return false
	}
	order := binary.NativeEndian
	if kind := order.Uint16(page[8:]); kind != kindFree {
		return bad("it is of kind %#x", kind)
	}
	count, list := uint64(order.Uint16(page[10:])), page[pageHeader:]
	if count == 0xFFFF {
		count, list = order.Uint64(list), list[8:]
	}
	if count > uint64(len(list)/8) {
		return bad("it cannot have %d entries", count)
	}
	good := true
	for i := range count {
		id := order.Uint64(list[8*i:])
		switch {
		case id < 2 || id >= p.meta.high:
			good = bad("there is no page %d", id)
		case p.used[id] == 1:
			good = bad("page %d is in use", id)
		case p.used[id] == 2:
			good = bad("page %d is listed twice", id)
		default:
			p.used[id] = 2
		}
	}
	return good
}

// within cuts size bytes out of a page, place after an element's beginning.
func within(page []byte, at int, place, size uint32) ([]byte, bool) {
	begin, end := uint64(at)+uint64(place), uint64(at)+uint64(place)+uint64(size)
	if end > uint64(len(page)) || begin > end {
		return nil, false
	}
	return page[begin:end], true
}

func ordered(before [][]byte, key, least, most []byte) bool {
	return (len(before) == 0 || bytes.Compare(before[len(before)-1], key) < 0) &&
		(least == nil || bytes.Compare(key, least) >= 0) && (most == nil || bytes.Compare(key, most) < 0)
}
