//! What CloudFormation checks before each operation.
//!
//! Source: <https://docs.aws.amazon.com/service-authorization/latest/reference/list_awscloudformation.html>

use pagoda_protocol::ApiError;
use pagoda_service::{Access, Context};

use crate::generated as g;

type Needs = Result<Vec<Access>, ApiError>;

/// On a stack, by name or ARN; `stack/{name}/*` where only the name is known.
fn on_stack(cx: &Context, action: &'static str, stack: Option<&str>) -> Needs {
    let resource = match stack {
        None => "*".to_owned(),
        Some(arn) if arn.starts_with("arn:") => arn.to_owned(),
        Some(name) => cx.arn("cloudformation", format!("stack/{name}/*")).to_string(),
    };
    Ok(vec![Access::new(action, resource)])
}

macro_rules! on_stacks {
    ($($name:ident($input:ident): $action:literal $($member:ident $($optional:ident)?)?;)*) => {$(
        pub(crate) fn $name(cx: &Context, input: &g::$input) -> Needs {
            let _ = input;
            let stack: Option<&str> = on_stacks!(@stack input $($member $($optional)?)?);
            on_stack(cx, concat!("cloudformation:", $action), stack)
        }
    )*};
    (@stack $input:ident) => { None };
    (@stack $input:ident $member:ident) => { Some($input.$member.as_str()) };
    (@stack $input:ident $member:ident optional) => { $input.$member.as_deref() };
}

on_stacks! {
    create_change_set(CreateChangeSetInput): "CreateChangeSet" stack_name;
    create_stack(CreateStackInput): "CreateStack" stack_name;
    delete_change_set(DeleteChangeSetInput): "DeleteChangeSet" stack_name optional;
    delete_stack(DeleteStackInput): "DeleteStack" stack_name;
    describe_change_set(DescribeChangeSetInput): "DescribeChangeSet" stack_name optional;
    describe_stack_events(DescribeStackEventsInput): "DescribeStackEvents" stack_name;
    describe_stack_resource(DescribeStackResourceInput): "DescribeStackResource" stack_name;
    describe_stack_resources(DescribeStackResourcesInput): "DescribeStackResources" stack_name optional;
    describe_stacks(DescribeStacksInput): "DescribeStacks" stack_name optional;
    execute_change_set(ExecuteChangeSetInput): "ExecuteChangeSet" stack_name optional;
    get_template(GetTemplateInput): "GetTemplate" stack_name optional;
    get_template_summary(GetTemplateSummaryInput): "GetTemplateSummary" stack_name optional;
    list_change_sets(ListChangeSetsInput): "ListChangeSets" stack_name;
    list_exports(ListExportsInput): "ListExports";
    list_stack_resources(ListStackResourcesInput): "ListStackResources" stack_name;
    list_stacks(ListStacksInput): "ListStacks";
    update_stack(UpdateStackInput): "UpdateStack" stack_name;
    validate_template(ValidateTemplateInput): "ValidateTemplate";
}
