//! CloudFormation and SAM templates, YAML and JSON.

use serde_json::json;

use super::{Target, texts};

pub(crate) const TARGET: Target = Target {
    name: "template",
    seeds: || {
        texts(&[
            "Parameters:\n  P: {Type: String, Default: x}\nConditions:\n  C: !Equals [!Ref P, x]\nResources:\n  \
             B:\n    Type: AWS::S3::Bucket\n    Condition: C\n    Properties:\n      BucketName: !Sub \
             \"${P}-${AWS::Region}\"\nOutputs:\n  O: {Value: !GetAtt B.Arn}\n",
            "Transform: AWS::Serverless-2016-10-31\nGlobals: {Function: {Timeout: 3}}\nResources:\n  F:\n    Type: \
             AWS::Serverless::Function\n    Properties: {Runtime: python3.12, Handler: a.b, InlineCode: 'x', \
             Policies: [{S3ReadPolicy: {BucketName: !Ref T}}], Events: {E: {Type: Api, Properties: {Path: /a, \
             Method: get}}}}\n  T: {Type: AWS::Serverless::SimpleTable}\n",
            "{\"Mappings\": {\"M\": {\"a\": {\"b\": \"c\"}}}, \"Resources\": {\"L\": {\"Type\": \
             \"AWS::Logs::LogGroup\", \"Properties\": {\"LogGroupName\": {\"Fn::FindInMap\": [\"M\", \"a\", \
             \"b\"]}, \"RetentionInDays\": 7}}}}",
        ])
    },
    words: &[
        "!Ref ", "!Sub ", "${", "!GetAtt ", "Fn::Join", "!If [", "*x", "&x ", "<<: ", "- ", "  ", "\n", ": ",
        "? ",
    ],
    run: |world, input| {
        Box::pin(async move {
            let template = json!({"TemplateBody": String::from_utf8_lossy(input)});
            world.call("cloudformation", "ValidateTemplate", template.clone()).await?;
            world.call("cloudformation", "GetTemplateSummary", template.clone()).await?;
            // Plans the resources without making any.
            let mut set = template;
            for (key, value) in [("StackName", "s"), ("ChangeSetName", "c"), ("ChangeSetType", "CREATE")] {
                set[key] = value.into();
            }
            set["Capabilities"] = json!(["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"]);
            world.call("cloudformation", "CreateChangeSet", set).await.ok();
            let made = json!({"StackName": "s", "ChangeSetName": "c"});
            world.call("cloudformation", "DeleteChangeSet", made).await.ok();
            Ok(())
        })
    },
};
