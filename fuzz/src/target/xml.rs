//! restXml: requests to S3 with documents.

use super::{Target, texts};
use crate::world::request;

pub(crate) const TARGET: Target = Target {
    name: "xml",
    seeds: || {
        texts(&[
            "POST /bucket?delete\n\n<Delete xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Object><Key>a \
             &amp; b</Key></Object><Object><Key>c</Key></Object><Quiet>true</Quiet></Delete>",
            "PUT /bucket?website\n\n<WebsiteConfiguration><IndexDocument><Suffix>index.html</Suffix>\
             </IndexDocument><ErrorDocument><Key>error.html</Key></ErrorDocument></WebsiteConfiguration>",
            "PUT /bucket?cors\n\n<?xml version=\"1.0\"?><CORSConfiguration><CORSRule><AllowedMethod>GET\
             </AllowedMethod><AllowedOrigin>https://*.example</AllowedOrigin><MaxAgeSeconds>5</MaxAgeSeconds>\
             </CORSRule></CORSConfiguration>",
            "PUT /bucket?tagging\n\n<Tagging><TagSet><Tag><Key>k</Key><Value>v</Value></Tag></TagSet></Tagging>",
            "GET /bucket?list-type=2&prefix=a%2F&max-keys=3&delimiter=/&encoding-type=url\n\n",
        ])
    },
    words: &[
        "<a>",
        "</a>",
        "<![CDATA[",
        "<!--",
        "<?xml",
        "&#x10ffff;",
        "&lt;",
        " xmlns=\"",
        "/>",
        "max-keys=",
        "%2F",
    ],
    run: |world, input| {
        Box::pin(async move {
            let (parts, body) = request(input).ok_or("no request")?;
            world.ask("s3", parts, body).await
        })
    },
};
