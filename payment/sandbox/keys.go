package sandbox

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"payscand/payment/signature"
)

// Keys are both key pairs of a practice gateway and the folder they live in.
type Keys struct {
	Dir      string               // absolute
	Merchant signature.PrivateKey // the shop signs with it
	Platform signature.PrivateKey // the gateway signs with it
}

// Names of the files in a folder of keys. The private ones are made with mode
// 0600, the folder, if it is missing, with 0700.
const (
	merchantPrivateFile = "merchant_private.pem"
	merchantPublicFile  = "merchant_public.pem"
	platformPrivateFile = "platform_private.pem"
	platformPublicFile  = "platform_public.pem"
)

// LoadOrMakeKeys reads the keys in dir, or makes them if dir has none of their
// files. It never overwrites one: some files without the others are an error, as
// is a private key that others can read.
func LoadOrMakeKeys(dir string) (Keys, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return Keys{}, err
	}
	keys := Keys{Dir: dir}
	pairs := []struct {
		private, public string
		key             *signature.PrivateKey
	}{
		{merchantPrivateFile, merchantPublicFile, &keys.Merchant},
		{platformPrivateFile, platformPublicFile, &keys.Platform},
	}
	var present, missing []string
	for _, pair := range pairs {
		for _, name := range []string{pair.private, pair.public} {
			if _, err := os.Lstat(filepath.Join(dir, name)); err == nil {
				present = append(present, name)
			} else if errors.Is(err, fs.ErrNotExist) {
				missing = append(missing, name)
			} else {
				return Keys{}, err
			}
		}
	}
	if len(present) > 0 && len(missing) > 0 {
		return Keys{}, fmt.Errorf("%s: there is %s but not %s: put it back, or remove all four to have new ones made",
			dir, strings.Join(present, ", "), strings.Join(missing, ", "))
	}
	for _, pair := range pairs {
		private, public := filepath.Join(dir, pair.private), filepath.Join(dir, pair.public)
		if len(present) > 0 {
			*pair.key, err = loadKeyPair(private, public)
		} else {
			*pair.key, err = makeKeyPair(private, public)
		}
		if err != nil {
			return Keys{}, err
		}
	}
	return keys, nil
}

func loadKeyPair(private, public string) (signature.PrivateKey, error) {
	info, err := os.Stat(private)
	if err != nil {
		return signature.PrivateKey{}, err
	}
	if info.Mode().Perm()&0o077 != 0 {
		return signature.PrivateKey{}, fmt.Errorf("%s: others can read it (mode %04o): chmod 600 it", private, info.Mode().Perm())
	}
	text, err := os.ReadFile(private)
	if err != nil {
		return signature.PrivateKey{}, err
	}
	key, err := signature.ParsePrivateKey(text)
	if err != nil {
		return signature.PrivateKey{}, fmt.Errorf("%s: %w", private, err)
	}
	if text, err = os.ReadFile(public); err != nil {
		return signature.PrivateKey{}, err
	}
	half, err := signature.ParsePublicKey(text)
	if err != nil {
		return signature.PrivateKey{}, fmt.Errorf("%s: %w", public, err)
	}
	if !half.Equal(key.Public()) {
		return signature.PrivateKey{}, fmt.Errorf("%s is not the public half of %s", public, private)
	}
	return key, nil
}

func makeKeyPair(private, public string) (signature.PrivateKey, error) {
	key, err := signature.GenerateKey()
	if err != nil {
		return signature.PrivateKey{}, err
	}
	if err := os.MkdirAll(filepath.Dir(private), 0o700); err != nil {
		return signature.PrivateKey{}, err
	}
	return key, errors.Join(writeNew(private, key.PEM(), 0o600), writeNew(public, key.Public().PEM(), 0o644))
}

func writeNew(path string, data []byte, mode fs.FileMode) error {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	_, err = file.Write(data)
	return errors.Join(err, file.Close())
}

// ConfigSection is the part of a payscand.toml that makes a terminal use the
// practice gateway at baseURL with these keys.
func (k Keys) ConfigSection(baseURL, merchantCode string) string {
	return fmt.Sprintf(`[gateway.alphapay]
base_url = %s
merchant_code = %s
private_key_file = %s
platform_key_file = { 1 = %s }
`,
		strconv.Quote(baseURL), strconv.Quote(merchantCode),
		strconv.Quote(filepath.Join(k.Dir, merchantPrivateFile)), strconv.Quote(filepath.Join(k.Dir, platformPublicFile)))
}
