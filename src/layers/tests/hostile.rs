//! Bases and paths that somebody made on purpose, or a tool that does what few do.

use flate2::Compression;
use flate2::write::GzEncoder;

use super::*;

#[test]
fn a_base_that_is_not_what_it_says_is_refused() {
    let shop = Shop::new();
    let good = layer(&[("a", FILE, 0o644, "a")]);
    let of = |content: &[u8]| archive(&json!({}), &[(Digest::of(&good), content.to_owned())]);
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    packed.write_all(&good).unwrap();
    assert!(shop.read(of(&packed.finish().unwrap())).is_ok(), "a packed layer is the same layer");

    let shop = Shop::new();
    let other = layer(&[("a", FILE, 0o644, "b")]);
    let error = shop.read(of(&other)).unwrap_err();
    assert!(matches!(error, BaseFault::OtherLayer(_)), "{error}");
    assert!(shop.read(of(good.get(..700).unwrap())).is_err());
    let (id, empty) = archive(&json!({}), &[]);
    empty.set_len(100).unwrap();
    assert!(shop.read((id, empty)).is_err());
    assert!(shop.layers.known(&of(&good).0).is_none(), "nothing of it is remembered");
}

#[test]
fn work_that_nobody_waits_for_ends() {
    let shop = Shop::new();
    let stop = CancellationToken::new();
    let base = shop.read(rich()).unwrap();
    stop.cancel();
    let (id, file) = base_of(&[&[("b", FILE, 0o644, "b")]]);
    assert!(shop.layers.read(&id, file, &stop).is_err());
    let plan = build(&[("site", "/www")], &[]);
    assert!(shop.layers.write(&base, &plan, (shop.root.path(), LIMITS), &stop).is_err());
}

/// What a layer that makes something writable has in it, upon layers of these entries.
fn given(layers: &[&[Entry]], writables: &[&str]) -> String {
    let shop = Shop::new();
    let base = shop.read(base_of(layers)).unwrap();
    listing(&shop.write(&base, &build(&[], writables)).unwrap())
}

#[test]
fn a_pattern_that_matches_nothing_gives_nothing_away() {
    let base: &[Entry] = &[("app", FOLDER, 0o2775, ""), ("app/code", FILE, 0o644, "code")];
    assert_eq!(given(&[base], &["/app/*.log"]), "d2775 1000:33 old app\n");
    assert_eq!(
        given(&[base], &["/app/new/*.log"]),
        "d0755 1000:33 new app/new\n",
        "a folder that is not there is made"
    );
    let all = given(&[base], &["/app", "/app/**", "/app/*.log"]);
    assert_eq!(all, "d2775 1000:33 old app\n-0644 1000:33 old app/code code\n");
}

#[test]
fn what_a_layer_puts_into_a_folder_that_is_a_link_is_where_it_leads() {
    let below: &[Entry] = &[
        ("usr/bin", FOLDER, 0o755, ""),
        ("usr/bin/old", FILE, 0o755, "old"),
        ("bin", LINK, 0o777, "usr/bin"),
    ];
    let above: &[Entry] = &[("bin/x", FILE, 0o755, "x"), ("bin/.wh.old", FILE, 0o644, "")];
    assert_eq!(given(&[below, above], &["/bin/*"]), "-0755 1000:33 old usr/bin/x x\n");
}

#[test]
fn paths_as_long_as_a_file_can_say_are_refused() {
    let shop = Shop::new();
    let deep = |count: usize| "/a".repeat(count);
    let base = shop.read(rich()).unwrap();
    assert!(shop.write(&base, &build(&[("site", &deep(2_000))], &[])).is_ok());
    for count in [3_000, 200_000] {
        let fault = shop.fault(&[("site", &deep(count))], &[]);
        assert_eq!(fault, "a path in the image would have more than 4 KiB");
        let fault = shop.fault(&[], &[&deep(count)]);
        assert_eq!(fault, "a path in the image would have more than 4 KiB");
    }
    let fault = shop.fault(&[], &[&format!("/app/{}", "*a".repeat(5_000))]);
    assert_eq!(fault, "a path in the image would have more than 4 KiB");
}

#[test]
fn nothing_is_put_that_would_take_away() {
    let shop = Shop::new();
    fs::write(shop.root.path().join("site/.wh.index.html"), "").unwrap();
    let words = "cannot be put into an image: there a name with `.wh.` takes something away";
    let fault = shop.fault(&[("site", "/www")], &[]);
    assert_eq!(fault, format!("`/www/site/.wh.index.html` {words}"));
    for fault in
        [shop.fault(&[("site/var", "/.wh.app")], &[]), shop.fault(&[], &["/srv/.wh..wh..opq"])]
    {
        assert!(fault.ends_with(words), "{fault}");
    }
}

#[test]
fn what_is_said_of_a_file_may_have_anything_in_it() {
    let mut tar = Builder::new(Vec::new());
    let said: [(&str, &[u8]); 2] =
        [("SCHILY.xattr.security.capability", b"\x01\n=\x02"), ("path", b"app/named")];
    tar.append_pax_extensions(said).unwrap();
    let mut header = Header::new_ustar();
    header.set_mode(0o644);
    header.set_mtime(7);
    header.set_size(1);
    tar.append_data(&mut header, "short", b"x".as_slice()).unwrap();
    let content = tar.into_inner().unwrap();
    let shop = Shop::new();
    let base = shop.read(archive(&json!({}), &[(Digest::of(&content), content)])).unwrap();
    let layer = shop.write(&base, &build(&[], &["/app/*"])).unwrap();
    assert_eq!(listing(&layer), "-0644 1000:33 old app/named x\n");
}

#[test]
fn a_base_with_names_that_nobody_has_by_accident_is_refused() {
    let path = "x".repeat(4_000);
    let mut tar = Builder::new(Vec::new());
    for number in 0..17_000 {
        let mut header = Header::new_gnu();
        header.set_size(0);
        tar.append_data(&mut header, format!("{number}/{path}"), io::empty()).unwrap();
    }
    let content = tar.into_inner().unwrap();
    let shop = Shop::new();
    let error = shop.read(archive(&json!({}), &[(Digest::of(&content), content)])).unwrap_err();
    assert!(matches!(error, BaseFault::LongPaths(_)), "{error}");
}
