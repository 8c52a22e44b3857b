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

// Keys are the key pairs of a practice gateway and the folder they live in. Each
// vendor has its own, so that a mix-up shows.
type Keys struct {
	Dir      string               // absolute
	Merchant signature.PrivateKey // the shop signs with it at AlphaPay
	Platform signature.PrivateKey // AlphaPay signs with it

	Client     signature.PrivateKey // the shop signs with it at Alipay+
	AlipayPlus signature.PrivateKey // Alipay+ signs with it
}

// Names of the files in a folder of keys. The private ones are made with mode
// 0600, the folder, if it is missing, with 0700.
const (
	merchantPrivateFile   = "merchant_private.pem"
	merchantPublicFile    = "merchant_public.pem"
	platformPrivateFile   = "platform_private.pem"
	platformPublicFile    = "platform_public.pem"
	clientPrivateFile     = "alipayplus_client_private.pem"
	clientPublicFile      = "alipayplus_client_public.pem"
	alipayPlusPrivateFile = "alipayplus_platform_private.pem"
	alipayPlusPublicFile  = "alipayplus_platform_public.pem"
)

// keyPair is a private key's file, its public half's, and the key.
type keyPair struct {
	private, public string
	key             *signature.PrivateKey
}

// LoadOrMakeKeys reads the keys in dir, or makes those of a vendor if dir has none
// of its files. It never overwrites one: some files of a vendor without the others
// are an error, as is a private key that others can read.
func LoadOrMakeKeys(dir string) (Keys, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return Keys{}, err
	}
	keys := Keys{Dir: dir}
	for _, vendor := range [][]keyPair{
		{{merchantPrivateFile, merchantPublicFile, &keys.Merchant}, {platformPrivateFile, platformPublicFile, &keys.Platform}},
		{{clientPrivateFile, clientPublicFile, &keys.Client}, {alipayPlusPrivateFile, alipayPlusPublicFile, &keys.AlipayPlus}},
	} {
		if err := loadOrMakePairs(dir, vendor); err != nil {
			return Keys{}, err
		}
	}
	return keys, nil
}

func loadOrMakePairs(dir string, pairs []keyPair) error {
	var present, missing []string
	for _, pair := range pairs {
		for _, name := range []string{pair.private, pair.public} {
			if _, err := os.Lstat(filepath.Join(dir, name)); err == nil {
				present = append(present, name)
			} else if errors.Is(err, fs.ErrNotExist) {
				missing = append(missing, name)
			} else {
				return err
			}
		}
	}
	if len(present) > 0 && len(missing) > 0 {
		return fmt.Errorf("%s: there is %s but not %s: put it back, or remove all four to have new ones made",
			dir, strings.Join(present, ", "), strings.Join(missing, ", "))
	}
	for _, pair := range pairs {
		private, public := filepath.Join(dir, pair.private), filepath.Join(dir, pair.public)
		var err error
		if len(present) > 0 {
			*pair.key, err = loadKeyPair(private, public)
		} else {
			*pair.key, err = makeKeyPair(private, public)
		}
		if err != nil {
			return err
		}
	}
	return nil
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

// ConfigSection is the part of a payscand.toml that makes a terminal use AlphaPay
// of the practice gateway at baseURL with these keys. caFile is that of
// LoadOrMakeCertificate, or empty for plain http.
func (k Keys) ConfigSection(baseURL, merchantCode, caFile string) string {
	return k.section("alphapay", merchantPrivateFile, platformPublicFile,
		setting{"base_url", baseURL}, setting{"merchant_code", merchantCode}, setting{"ca_file", caFile})
}

// AlipayPlusSection is the same for Alipay+, with a shop made up. notifyURL, where
// the shop takes notifications, is needed for QR orders.
func (k Keys) AlipayPlusSection(baseURL, clientID, caFile, notifyURL, merchantID string) string {
	return k.section("alipayplus", clientPrivateFile, alipayPlusPublicFile,
		setting{"base_url", baseURL}, setting{"client_id", clientID}, setting{"ca_file", caFile}, setting{"notify_url", notifyURL}) +
		fmt.Sprintf(`
[gateway.alipayplus.merchant]
reference_id = %s
name = "Practice Shop"
mcc = "5411"
region = "CA"

[gateway.alipayplus.store]
reference_id = "S0001"
name = "Practice Shop"
mcc = "5411"
`, strconv.Quote(merchantID))
}

type setting struct{ name, value string }

func (k Keys) section(gateway, private, public string, settings ...setting) string {
	var out strings.Builder
	fmt.Fprintf(&out, "[gateway.%s]\n", gateway)
	for _, s := range settings {
		if s.value != "" {
			fmt.Fprintf(&out, "%s = %s\n", s.name, strconv.Quote(s.value))
		}
	}
	fmt.Fprintf(&out, "private_key_file = %s\nplatform_key_file = { 1 = %s }\n",
		strconv.Quote(filepath.Join(k.Dir, private)), strconv.Quote(filepath.Join(k.Dir, public)))
	return out.String()
}
