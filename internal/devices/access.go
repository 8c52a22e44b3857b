package devices

import (
	"os"
	osuser "os/user"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// User is whose rights are told.
type User struct {
	Name   string
	id     uint32
	groups map[uint32]bool
}

// daemonUser and its extra groups are those of systemd/payscand.service.
const daemonUser = "payscand"

var daemonGroups = []string{"dialout"}

// DaemonUser is the user that the daemon runs as, or the one who asks where there
// is no such user.
func DaemonUser() (User, error) {
	found, err := osuser.Lookup(daemonUser)
	groups := daemonGroups
	if err != nil {
		if found, err = osuser.Current(); err != nil {
			return User{}, err
		}
		groups = nil
	}
	u := User{Name: found.Username, groups: map[uint32]bool{}}
	id, err := strconv.ParseUint(found.Uid, 10, 32)
	if err != nil {
		return User{}, err
	}
	u.id = uint32(id)
	ids, err := found.GroupIds()
	if err != nil {
		return User{}, err
	}
	for _, name := range groups {
		if group, err := osuser.LookupGroup(name); err == nil {
			ids = append(ids, group.Gid)
		}
	}
	for _, text := range append(ids, found.Gid) {
		if id, err := strconv.ParseUint(text, 10, 32); err == nil {
			u.groups[uint32(id)] = true
		}
	}
	return u, nil
}

// mayOpen tells whether the user may read and write a file, by its owner, group
// and mode; access control lists are not looked at.
func (u User) mayOpen(path string) bool {
	var stat unix.Stat_t
	if err := unix.Stat(path, &stat); err != nil {
		return false
	}
	const readWrite = 6
	switch {
	case u.id == 0:
		return true
	case stat.Uid == u.id:
		return stat.Mode>>6&readWrite == readWrite
	case u.groups[stat.Gid]:
		return stat.Mode>>3&readWrite == readWrite
	}
	return stat.Mode&readWrite == readWrite
}

const (
	daemonName     = "payscand"
	anotherProgram = "another program (run this command as root to see which)"
)

var holdable = regexp.MustCompile(`^/dev/(tty|pts/|bus/usb/)`)

// findHolders says by device node which program has it open, as far as this
// user may see.
func findHolders() map[string]string {
	holders := map[string]string{}
	links, err := filepath.Glob("/proc/[0-9]*/fd/*")
	if err != nil {
		return holders
	}
	own := strconv.Itoa(os.Getpid())
	for _, link := range links {
		target, err := os.Readlink(link)
		if err != nil || !holdable.MatchString(target) {
			continue
		}
		process := strings.Split(link, "/")[2]
		if process == own {
			continue
		}
		name, err := os.ReadFile(filepath.Join("/proc", process, "comm"))
		if err == nil {
			holders[target] = strings.TrimSpace(string(name)) + " (process " + process + ")"
		}
	}
	return holders
}
