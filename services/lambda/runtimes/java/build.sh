#!/bin/sh
# Compiles Pagoda's client of the Runtime API for Java into pagoda-runtime.jar, which is committed: building
# Pagoda needs no JDK. The jar names the sources that it was made of; tests/it/java.rs compares them.
set -eu
cd "$(dirname "$0")"
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
find src -name '*.java' | LC_ALL=C sort > "$out/sources"
# Concatenation by StringBuilder: the newer way costs each cold start 30 ms.
javac --release 11 -Xlint:all -Werror -g:none -XDstringConcat=inline -d "$out/classes" "@$out/sources"
mkdir -p "$out/classes/META-INF"
xargs cat < "$out/sources" | sha256sum | cut -d ' ' -f 1 > "$out/classes/META-INF/sources.sha256"
cat > "$out/manifest" <<'M'
Main-Class: pagoda.runtime.Main
Add-Opens: java.base/java.io java.base/java.lang java.base/java.util.concurrent
  java.base/jdk.internal.loader java.base/jdk.internal.misc
Enable-Native-Access: ALL-UNNAMED
M
jar --create --file pagoda-runtime.jar --manifest "$out/manifest" --date 2026-01-01T00:00:00Z -C "$out/classes" .
