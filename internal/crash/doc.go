// Package crash replays power cuts. From the system calls that a run made, in
// order, it makes the states in which a disk may be when the power goes: all that
// was synced, and any part of what was not, a write's sectors torn included. Each
// is put into files and judged.
//
// The model of the disk is the weakest that programs are promised: fsync and
// fdatasync of a file make its writes and its size last, fsync of a folder makes
// names last, a sector of 512 bytes is written whole or not at all, and everything
// else may or may not have happened, in any combination.
package crash
