//! Websites and cross-origin requests.

use pagoda_service::CrossOrigin as _;

use crate::policy::open_up;
use crate::world::{World, parts};

const WEBSITE: &str = "<WebsiteConfiguration><IndexDocument><Suffix>index.html</Suffix></IndexDocument>\
    <ErrorDocument><Key>error.html</Key></ErrorDocument><RoutingRules>\
    <RoutingRule><Condition><KeyPrefixEquals>old/</KeyPrefixEquals></Condition>\
    <Redirect><ReplaceKeyPrefixWith>new/</ReplaceKeyPrefixWith></Redirect></RoutingRule>\
    <RoutingRule><Condition><KeyPrefixEquals>gone/</KeyPrefixEquals><HttpErrorCodeReturnedEquals>404</HttpErrorCodeReturnedEquals></Condition>\
    <Redirect><HostName>else.test</HostName><Protocol>http</Protocol><HttpRedirectCode>307</HttpRedirectCode></Redirect></RoutingRule>\
    </RoutingRules></WebsiteConfiguration>";

async fn site() -> World {
    let world = World::with_bucket().await;
    world.send("PUT", "/bucket?website", &[], WEBSITE).await.ok();
    open_up(&world).await;
    for key in ["index.html", "docs/index.html", "a%20b.html", "gone/here"] {
        world
            .send("PUT", &format!("/bucket/{key}"), &[("content-type", "text/html")], key.to_owned())
            .await
            .ok();
    }
    world
}

#[tokio::test]
async fn pages_are_served() {
    let world = site().await;
    let rows = [
        ("/", 200, "index.html"),
        ("/index.html", 200, "index.html"),
        ("/docs/", 200, "docs/index.html"),
        ("/a%20b.html", 200, "a%20b.html"),
        ("/gone/here", 200, "gone/here"),
    ];
    for (path, status, body) in rows {
        let page = world.browse("bucket", "GET", path, &[]).await;
        assert_eq!((page.status, page.text()), (status, body), "{path}");
        assert_eq!(page.header("content-type"), "text/html");
        assert!(!page.header("x-amz-request-id").is_empty());
    }
    let page = world.browse("bucket", "GET", "/", &[]).await;
    let etag = page.header("etag").to_owned();
    let same = world.browse("bucket", "GET", "/", &[("if-none-match", &etag)]).await;
    assert_eq!((same.status, same.header("etag")), (304, etag.as_str()));
    let head = world.browse("bucket", "HEAD", "/", &[]).await;
    assert_eq!((head.status, head.header("content-length"), head.body.len()), (200, "10", 0));
    let part = world.browse("bucket", "GET", "/", &[("range", "bytes=0-4")]).await;
    assert_eq!((part.status, part.text(), part.header("content-range")), (206, "index", "bytes 0-4/10"));
    assert_eq!(world.browse("bucket", "POST", "/", &[]).await.status, 405);
}

#[tokio::test]
async fn visitors_are_sent_elsewhere() {
    let world = site().await;
    world.send("PUT", "/bucket/moved", &[("x-amz-website-redirect-location", "/index.html")], "").await.ok();
    let rows = [
        ("/docs", 302, "/docs/"),
        ("/old/a%20b", 301, "https://pagoda.test/new/a%20b"),
        ("/gone/away", 307, "http://else.test/gone/away"),
        ("/moved", 301, "/index.html"),
    ];
    for (path, status, location) in rows {
        let page = world.browse("bucket", "GET", path, &[]).await;
        assert_eq!((page.status, page.header("location")), (status, location), "{path}");
    }
    let all = "<WebsiteConfiguration><RedirectAllRequestsTo><HostName>else.test</HostName></RedirectAllRequestsTo></WebsiteConfiguration>";
    world.send("PUT", "/bucket?website", &[], all).await.ok();
    let page = world.browse("bucket", "GET", "/x?y=z", &[]).await;
    assert_eq!((page.status, page.header("location")), (301, "https://else.test/x?y=z"));
}

#[tokio::test]
async fn what_is_missing_has_a_page() {
    let world = site().await;
    let page = world.browse("bucket", "GET", "/%3Cscript%3E", &[]).await;
    assert_eq!((page.status, page.header("x-amz-error-code")), (404, "NoSuchKey"));
    assert!(page.text().contains("<h1>404 Not Found</h1>"), "{}", page.text());
    assert!(page.text().contains("Custom Error Document"), "{}", page.text());
    assert!(page.text().contains("&lt;script&gt;") && !page.text().contains("<script>"));
    world.send("PUT", "/bucket/error.html", &[("content-type", "text/html")], "sorry").await.ok();
    let page = world.browse("bucket", "GET", "/none", &[("range", "bytes=0-1")]).await;
    assert_eq!((page.status, page.text()), (404, "sorry"));
    world.send("DELETE", "/bucket?policy", &[], "").await.ok();
    let page = world.browse("bucket", "GET", "/", &[]).await;
    assert_eq!((page.status, page.header("x-amz-error-code")), (403, "AccessDenied"));
    world.send("DELETE", "/bucket?website", &[], "").await.ok();
    let page = world.browse("bucket", "GET", "/", &[]).await;
    assert_eq!((page.status, page.header("x-amz-error-code")), (404, "NoSuchWebsiteConfiguration"));
    let page = world.browse("no-such", "GET", "/", &[]).await;
    assert_eq!((page.status, page.header("x-amz-error-code")), (404, "NoSuchBucket"));
}

#[tokio::test]
async fn configurations_are_checked() {
    let world = World::with_bucket().await;
    let rows = [
        "<WebsiteConfiguration/>",
        "<WebsiteConfiguration><IndexDocument><Suffix>a/b</Suffix></IndexDocument></WebsiteConfiguration>",
        "<WebsiteConfiguration><IndexDocument><Suffix>a</Suffix></IndexDocument><RoutingRules><RoutingRule><Redirect><HttpRedirectCode>200</HttpRedirectCode></Redirect></RoutingRule></RoutingRules></WebsiteConfiguration>",
        "<WebsiteConfiguration><IndexDocument><Suffix>a</Suffix></IndexDocument><RedirectAllRequestsTo><HostName>h</HostName></RedirectAllRequestsTo></WebsiteConfiguration>",
    ];
    for document in rows {
        assert_eq!(world.send("PUT", "/bucket?website", &[], document).await.status, 400, "{document}");
    }
}

#[tokio::test]
async fn other_sites_pages_come_in_by_rule() {
    let world = site().await;
    let rules = "<CORSConfiguration><CORSRule><AllowedMethod>GET</AllowedMethod><AllowedMethod>PUT</AllowedMethod>\
        <AllowedOrigin>https://*.a.test</AllowedOrigin><AllowedHeader>x-*</AllowedHeader><ExposeHeader>ETag</ExposeHeader>\
        <MaxAgeSeconds>60</MaxAgeSeconds></CORSRule></CORSConfiguration>";
    let preflight = |headers: &[(&str, &str)]| {
        let parts = parts("OPTIONS", "/bucket/k", headers);
        let s3 = world.s3.clone();
        async move { s3.preflight("/bucket/k", &parts.headers).await }
    };
    let origin = ("origin", "https://w.a.test");
    let method = ("access-control-request-method", "PUT");
    assert_eq!(preflight(&[origin, method]).await.unwrap_err().code, "AccessForbidden");
    world.send("PUT", "/bucket?cors", &[], rules).await.ok();
    let wanted = ("access-control-request-headers", "X-One, x-two");
    let answer = preflight(&[origin, method, wanted]).await.unwrap();
    let header = |name: &str| answer.headers()[name].to_str().unwrap().to_owned();
    assert_eq!(header("access-control-allow-origin"), "https://w.a.test");
    assert_eq!(header("access-control-allow-methods"), "GET, PUT");
    assert_eq!(header("access-control-allow-headers"), "x-one, x-two");
    assert_eq!(header("access-control-max-age"), "60");
    let rows: [&[(&str, &str)]; 4] = [
        &[("origin", "https://b.test"), method],
        &[origin, ("access-control-request-method", "DELETE")],
        &[origin, method, ("access-control-request-headers", "authorization")],
        &[method],
    ];
    for headers in rows {
        assert!(preflight(headers).await.is_err(), "{headers:?}");
    }
    let page = world.browse("bucket", "GET", "/", &[origin]).await;
    assert_eq!(page.header("access-control-allow-origin"), "https://w.a.test");
    assert_eq!(page.header("access-control-expose-headers"), "ETag");
    let page = world.browse("bucket", "GET", "/", &[("origin", "https://b.test")]).await;
    assert_eq!(page.header("access-control-allow-origin"), "");
    let page = world.browse("bucket", "OPTIONS", "/", &[origin, method]).await;
    assert_eq!(page.status, 200);
}
