//! awsQuery: forms sent to IAM.

use super::{Target, texts};
use crate::world::request;

pub(crate) const TARGET: Target = Target {
    name: "query",
    seeds: || {
        texts(&[
            "POST /\n\nAction=ListRoles&Version=2010-05-08&MaxItems=10&PathPrefix=%2F",
            "GET /?Action=ListUsers&Version=2010-05-08\n\n",
            "POST /\n\nAction=ListPolicies&Version=2010-05-08&Scope=Local&OnlyAttached=false",
            "POST /\n\nAction=CreatePolicy&Version=2010-05-08&PolicyName=p&PolicyDocument=%7B%22Version%22%3A\
             %222012-10-17%22%2C%22Statement%22%3A%7B%22Effect%22%3A%22Allow%22%2C%22Action%22%3A%22s3%3AGet*%22%2C%22Resource%22%3A%22*%22%7D%7D&Tags.member.1.Key=a&Tags.member.1.Value=b",
        ])
    },
    words: &[
        "&",
        "=",
        "Tags.member.",
        "1.Key=",
        "18446744073709551616",
        "CreateUser",
        "UserName=",
        ".member.1",
        ".",
    ],
    run: |world, input| {
        Box::pin(async move {
            let (parts, body) = request(input).ok_or("no request")?;
            match world.ask("iam", parts, body).await {
                // Made by the input before.
                Err(error) if error.starts_with("EntityAlreadyExists") => Ok(()),
                answer => answer,
            }
        })
    },
};
