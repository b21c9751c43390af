#!/usr/bin/env bash
# make deb: a Debian package of the program, built for x86-64-v3 and for x86-64-v4 (AVX-512), with man pages, completions, jobs and docs,
# in .build-deb. What it depends on is what the two programs are linked with. The same sources and tools make the same package to the byte.
set -euo pipefail
cd "$(dirname "$0")/.."
fail() {
  printf 'deb: %s\n' "$@" >&2
  exit 1
}
[ "$(dpkg --print-architecture 2>/dev/null)" = amd64 ] || fail "packages are made on Debian for amd64; elsewhere: make install"
for tool in dpkg-shlibdeps:dpkg-dev fakeroot:fakeroot strip:binutils; do
  command -v "${tool%%:*}" >/dev/null || fail "${tool%%:*} is missing: install ${tool##*:}"
done
version=$(cat VERSION)
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || stat -c %Y VERSION)}
export SOURCE_DATE_EPOCH
builds="x86-64-v3 x86-64-v4"
out=.build-deb
tree=$out/tree
# FATHOM_DEB_BUILT=1: the programs have been built.
if [ -z "${FATHOM_DEB_BUILT:-}" ]; then
  for march in $builds; do
    # Swift's own libraries go into the program: none of another version on a library path can take their place.
    FATHOM_MARCH=$march swift build -c release --product fathom --static-swift-stdlib --scratch-path ".build-$march-static"
  done
fi

rm -rf "$tree"
mkdir -p "$tree/DEBIAN" "$tree/usr/share/doc/fathom"
for march in $builds; do
  install -D -m 755 ".build-$march-static/release/fathom" "$tree/usr/lib/fathom/$march/fathom"
  strip --strip-unneeded --remove-section=.comment "$tree/usr/lib/fathom/$march/fathom"
done
# The oldest of them runs on the machine that makes the package.
bash tools/install.sh "$tree/usr" "$tree/usr/lib/fathom/x86-64-v3/fathom"
mkdir -p "$tree/usr/share/zsh/vendor-completions"
mv "$tree/usr/share/zsh/site-functions/_fathom" "$tree/usr/share/zsh/vendor-completions/"
rm -r "$tree/usr/share/zsh/site-functions"
install -m 755 packaging/debian/fathom "$tree/usr/bin/fathom"
gzip -9n "$tree"/usr/share/man/man1/*.1
doc=$tree/usr/share/doc/fathom
git ls-files docs README.md CITATION.cff | grep -vE '^docs/gallery/|\.png$' | tar -c -T - | tar -x -C "$doc"
gzip -9nc CHANGELOG.md >"$doc/changelog.gz"
python3 tools/licences.py copyright >"$doc/copyright"
find "$tree" -type d -exec chmod 755 {} +
find "$tree" -type f ! -path '*/bin/*' ! -path '*/lib/fathom/*' -exec chmod 644 {} +

# dpkg-shlibdeps wants to stand in a source package.
mkdir -p "$out/debian"
printf 'Source: fathom\n\nPackage: fathom\nArchitecture: amd64\n' >"$out/debian/control"
libraries=$(cd "$out" && dpkg-shlibdeps -O tree/usr/lib/fathom/*/fathom 2>shlibdeps.log | sed -n 's/^shlibs:Depends=//p') ||
  fail "$(cat "$out/shlibdeps.log")"
[[ $libraries == *libopenmpi* && $libraries == *libhdf5* ]] || fail "the libraries cannot be right: $libraries"
sed -e "s/@VERSION@/$version/" -e "s/@LIBRARIES@/$libraries/" -e "s/@SIZE@/$(du -sk --apparent-size "$tree/usr" | cut -f1)/" \
  packaging/debian/control >"$tree/DEBIAN/control"
(cd "$tree" && find usr -type f | LC_ALL=C sort | xargs md5sum >DEBIAN/md5sums)
find "$tree" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
ln -sf "fathom_${version}_amd64.deb" "$out/fathom.deb"
file=$out/fathom_${version}_amd64.deb
fakeroot dpkg-deb --build --root-owner-group -Zxz "$tree" "$file" >/dev/null
echo "$file: $(du -h "$file" | cut -f1), installed $(du -sh --apparent-size "$tree/usr" | cut -f1)"
echo "Depends: $(dpkg-deb -f "$file" Depends)"
