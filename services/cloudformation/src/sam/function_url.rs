//! `FunctionUrlConfig`: the URL of a function or of its alias, and who may call it.
//!
//! Source: <https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-property-function-functionurlconfig.html>

use serde_json::{Value, json};

use super::alias::Target;
use super::{Sam, check_properties, refused};
use crate::template::{Checked, object};

impl Sam {
    /// Adds the URL, and for everybody's use two permissions.
    pub(super) fn function_url(
        &mut self,
        name: &str,
        config: &Value,
        target: &Target,
        origin: &Value,
    ) -> Checked<()> {
        let config = object(config, "FunctionUrlConfig must be a map")?;
        check_properties(name, config, &["AuthType", "Cors", "InvokeMode"])?;
        let auth = config.get("AuthType").ok_or_else(|| {
            refused(name, "AuthType is required to configure function property `FunctionUrlConfig`. Please provide either AWS_IAM or NONE.")
        })?;
        let mut url = Value::Object(config.clone());
        url["TargetFunctionArn"] = json!({ "Ref": name });
        if let Target::Alias { name, .. } = target {
            url["Qualifier"] = json!(name);
        }
        self.add(format!("{name}Url"), "AWS::Lambda::Url", url, &target.behind(origin));
        if auth == "NONE" {
            let (invoke, everybody) = ("lambda:InvokeFunction", "*");
            let public = json!({
                "Action": "lambda:InvokeFunctionUrl",
                "FunctionName": target.reference(),
                "FunctionUrlAuthType": auth,
                "Principal": everybody,
            });
            let through = json!({
                "Action": invoke,
                "FunctionName": target.reference(),
                "InvokedViaFunctionUrl": true,
                "Principal": everybody,
            });
            for (id, permission) in
                [("UrlPublicPermissions", public), ("URLInvokeAllowPublicAccess", through)]
            {
                self.add_beside(format!("{name}{id}"), "AWS::Lambda::Permission", permission, origin);
            }
        }
        Ok(())
    }
}
