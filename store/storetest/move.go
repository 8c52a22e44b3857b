package storetest

import (
	"compress/gzip"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"os"

	"go.etcd.io/bbolt"
)

// Move makes a database file, which nobody has open, look as if a machine of that
// name had made it.
func Move(path, machine string) error {
	bolt, err := bbolt.Open(path, 0o600, nil)
	if err != nil {
		return err
	}
	err = bolt.Update(func(tx *bbolt.Tx) error {
		key := []byte("machine")
		return tx.Bucket([]byte("meta")).Put(key, sealed("meta", key, []byte(machine)))
	})
	return errors.Join(err, bolt.Close())
}

// sealed is a value as the store keeps it, by the rule that its file format
// documents: CRC-32C of "payscand 2", the bucket, each with a zero behind it, the
// key and the value.
func sealed(bucket string, key, value []byte) []byte {
	text := append([]byte("payscand 2\x00"+bucket+"\x00"), key...)
	crc := crc32.Checksum(append(text, value...), crc32.MakeTable(crc32.Castagnoli))
	return append(binary.BigEndian.AppendUint32(nil, crc), value...)
}

// Newer makes a database file, which nobody has open, look as if a later version
// of the program had written it.
func Newer(path string) error {
	bolt, err := bbolt.Open(path, 0o600, nil)
	if err != nil {
		return err
	}
	err = bolt.Update(func(tx *bbolt.Tx) error {
		b := tx.Bucket([]byte("meta"))
		return errors.Join(b.Put([]byte("schema"), []byte("99")), b.Put([]byte("epoch"), []byte("written otherwise")))
	})
	return errors.Join(err, bolt.Close())
}

// Unpack writes the database that a gzip file holds.
func Unpack(packed, path string) error {
	file, err := os.Open(packed)
	if err != nil {
		return err
	}
	defer file.Close()
	unpacked, err := gzip.NewReader(file)
	if err != nil {
		return err
	}
	content, err := io.ReadAll(unpacked)
	if err != nil {
		return err
	}
	return os.WriteFile(path, content, 0o600)
}
