//! What API Gateway checks before each operation: the HTTP verb, on the path of what it names.
//!
//! Source: <https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-iam-policy-examples.html>

use pagoda_protocol::ApiError;
use pagoda_service::{Access, Context};

use crate::generated as g;

type Needs = Result<Vec<Access>, ApiError>;

macro_rules! paths {
    ($($name:ident($input:ident): $verb:literal $format:literal $($field:ident)*;)*) => {$(
        pub(crate) fn $name(cx: &Context, input: &g::$input) -> Needs {
            let _ = input;
            let path = format!($format $(, input.$field)*);
            Ok(vec![Access::new(concat!("apigateway:", $verb), format!("arn:aws:apigateway:{}::{path}", cx.region))])
        }
    )*};
}

/// Whoever clones an API must be allowed to see it.
pub(crate) fn create_rest_api(cx: &Context, input: &g::CreateRestApiRequest) -> Needs {
    let of = |path: &str| format!("arn:aws:apigateway:{}::/restapis{path}", cx.region);
    let mut needs = vec![Access::new("apigateway:POST", of(""))];
    if let Some(source) = &input.clone_from {
        needs.push(Access::new("apigateway:GET", of(&format!("/{source}"))));
    }
    Ok(needs)
}

paths! {
    import_rest_api(ImportRestApiRequest): "POST" "/restapis";
    put_rest_api(PutRestApiRequest): "PUT" "/restapis/{}" rest_api_id;
    get_rest_api(GetRestApiRequest): "GET" "/restapis/{}" rest_api_id;
    get_rest_apis(GetRestApisRequest): "GET" "/restapis";
    update_rest_api(UpdateRestApiRequest): "PATCH" "/restapis/{}" rest_api_id;
    delete_rest_api(DeleteRestApiRequest): "DELETE" "/restapis/{}" rest_api_id;
    create_resource(CreateResourceRequest): "POST" "/restapis/{}/resources/{}" rest_api_id parent_id;
    get_resource(GetResourceRequest): "GET" "/restapis/{}/resources/{}" rest_api_id resource_id;
    get_resources(GetResourcesRequest): "GET" "/restapis/{}/resources" rest_api_id;
    update_resource(UpdateResourceRequest): "PATCH" "/restapis/{}/resources/{}" rest_api_id resource_id;
    update_deployment(UpdateDeploymentRequest): "PATCH" "/restapis/{}/deployments/{}" rest_api_id deployment_id;
    create_documentation_part(CreateDocumentationPartRequest): "POST" "/restapis/{}/documentation/parts" rest_api_id;
    import_documentation_parts(ImportDocumentationPartsRequest): "PUT" "/restapis/{}/documentation/parts" rest_api_id;
    get_documentation_parts(GetDocumentationPartsRequest): "GET" "/restapis/{}/documentation/parts" rest_api_id;
    get_documentation_part(GetDocumentationPartRequest): "GET" "/restapis/{}/documentation/parts/{}" rest_api_id documentation_part_id;
    update_documentation_part(UpdateDocumentationPartRequest): "PATCH" "/restapis/{}/documentation/parts/{}" rest_api_id documentation_part_id;
    delete_documentation_part(DeleteDocumentationPartRequest): "DELETE" "/restapis/{}/documentation/parts/{}" rest_api_id documentation_part_id;
    create_documentation_version(CreateDocumentationVersionRequest): "POST" "/restapis/{}/documentation/versions" rest_api_id;
    get_documentation_versions(GetDocumentationVersionsRequest): "GET" "/restapis/{}/documentation/versions" rest_api_id;
    get_documentation_version(GetDocumentationVersionRequest): "GET" "/restapis/{}/documentation/versions/{}" rest_api_id documentation_version;
    update_documentation_version(UpdateDocumentationVersionRequest): "PATCH" "/restapis/{}/documentation/versions/{}" rest_api_id documentation_version;
    delete_documentation_version(DeleteDocumentationVersionRequest): "DELETE" "/restapis/{}/documentation/versions/{}" rest_api_id documentation_version;
    delete_resource(DeleteResourceRequest): "DELETE" "/restapis/{}/resources/{}" rest_api_id resource_id;
    put_method(PutMethodRequest): "PUT" "/restapis/{}/resources/{}/methods/{}" rest_api_id resource_id http_method;
    get_method(GetMethodRequest): "GET" "/restapis/{}/resources/{}/methods/{}" rest_api_id resource_id http_method;
    delete_method(DeleteMethodRequest): "DELETE" "/restapis/{}/resources/{}/methods/{}" rest_api_id resource_id http_method;
    put_method_response(PutMethodResponseRequest): "PUT" "/restapis/{}/resources/{}/methods/{}/responses/{}" rest_api_id resource_id http_method status_code;
    get_method_response(GetMethodResponseRequest): "GET" "/restapis/{}/resources/{}/methods/{}/responses/{}" rest_api_id resource_id http_method status_code;
    delete_method_response(DeleteMethodResponseRequest): "DELETE" "/restapis/{}/resources/{}/methods/{}/responses/{}" rest_api_id resource_id http_method status_code;
    put_integration(PutIntegrationRequest): "PUT" "/restapis/{}/resources/{}/methods/{}/integration" rest_api_id resource_id http_method;
    get_integration(GetIntegrationRequest): "GET" "/restapis/{}/resources/{}/methods/{}/integration" rest_api_id resource_id http_method;
    delete_integration(DeleteIntegrationRequest): "DELETE" "/restapis/{}/resources/{}/methods/{}/integration" rest_api_id resource_id http_method;
    put_integration_response(PutIntegrationResponseRequest): "PUT" "/restapis/{}/resources/{}/methods/{}/integration/responses/{}" rest_api_id resource_id http_method status_code;
    get_integration_response(GetIntegrationResponseRequest): "GET" "/restapis/{}/resources/{}/methods/{}/integration/responses/{}" rest_api_id resource_id http_method status_code;
    delete_integration_response(DeleteIntegrationResponseRequest): "DELETE" "/restapis/{}/resources/{}/methods/{}/integration/responses/{}" rest_api_id resource_id http_method status_code;
    update_method(UpdateMethodRequest): "PATCH" "/restapis/{}/resources/{}/methods/{}" rest_api_id resource_id http_method;
    create_model(CreateModelRequest): "POST" "/restapis/{}/models" rest_api_id;
    get_model(GetModelRequest): "GET" "/restapis/{}/models/{}" rest_api_id model_name;
    get_models(GetModelsRequest): "GET" "/restapis/{}/models" rest_api_id;
    get_model_template(GetModelTemplateRequest): "GET" "/restapis/{}/models/{}/default_template" rest_api_id model_name;
    update_model(UpdateModelRequest): "PATCH" "/restapis/{}/models/{}" rest_api_id model_name;
    delete_model(DeleteModelRequest): "DELETE" "/restapis/{}/models/{}" rest_api_id model_name;
    create_request_validator(CreateRequestValidatorRequest): "POST" "/restapis/{}/requestvalidators" rest_api_id;
    get_request_validator(GetRequestValidatorRequest): "GET" "/restapis/{}/requestvalidators/{}" rest_api_id request_validator_id;
    get_request_validators(GetRequestValidatorsRequest): "GET" "/restapis/{}/requestvalidators" rest_api_id;
    update_request_validator(UpdateRequestValidatorRequest): "PATCH" "/restapis/{}/requestvalidators/{}" rest_api_id request_validator_id;
    delete_request_validator(DeleteRequestValidatorRequest): "DELETE" "/restapis/{}/requestvalidators/{}" rest_api_id request_validator_id;
    update_integration(UpdateIntegrationRequest): "PATCH" "/restapis/{}/resources/{}/methods/{}/integration" rest_api_id resource_id http_method;
    update_integration_response(UpdateIntegrationResponseRequest): "PATCH" "/restapis/{}/resources/{}/methods/{}/integration/responses/{}" rest_api_id resource_id http_method status_code;
    update_method_response(UpdateMethodResponseRequest): "PATCH" "/restapis/{}/resources/{}/methods/{}/responses/{}" rest_api_id resource_id http_method status_code;
    create_api_key(CreateApiKeyRequest): "POST" "/apikeys";
    import_api_keys(ImportApiKeysRequest): "POST" "/apikeys";
    get_api_key(GetApiKeyRequest): "GET" "/apikeys/{}" api_key;
    get_api_keys(GetApiKeysRequest): "GET" "/apikeys";
    update_api_key(UpdateApiKeyRequest): "PATCH" "/apikeys/{}" api_key;
    delete_api_key(DeleteApiKeyRequest): "DELETE" "/apikeys/{}" api_key;
    create_usage_plan(CreateUsagePlanRequest): "POST" "/usageplans";
    get_usage_plan(GetUsagePlanRequest): "GET" "/usageplans/{}" usage_plan_id;
    get_usage_plans(GetUsagePlansRequest): "GET" "/usageplans";
    update_usage_plan(UpdateUsagePlanRequest): "PATCH" "/usageplans/{}" usage_plan_id;
    delete_usage_plan(DeleteUsagePlanRequest): "DELETE" "/usageplans/{}" usage_plan_id;
    create_usage_plan_key(CreateUsagePlanKeyRequest): "POST" "/usageplans/{}/keys" usage_plan_id;
    get_usage_plan_key(GetUsagePlanKeyRequest): "GET" "/usageplans/{}/keys/{}" usage_plan_id key_id;
    get_usage_plan_keys(GetUsagePlanKeysRequest): "GET" "/usageplans/{}/keys" usage_plan_id;
    delete_usage_plan_key(DeleteUsagePlanKeyRequest): "DELETE" "/usageplans/{}/keys/{}" usage_plan_id key_id;
    get_usage(GetUsageRequest): "GET" "/usageplans/{}/usage" usage_plan_id;
    update_usage(UpdateUsageRequest): "PATCH" "/usageplans/{}/keys/{}/usage" usage_plan_id key_id;
    get_sdk(GetSdkRequest): "GET" "/restapis/{}/stages/{}/sdks/{}" rest_api_id stage_name sdk_type;
    get_sdk_type(GetSdkTypeRequest): "GET" "/sdktypes/{}" id;
    get_sdk_types(GetSdkTypesRequest): "GET" "/sdktypes";
    put_gateway_response(PutGatewayResponseRequest): "PUT" "/restapis/{}/gatewayresponses/{}" rest_api_id response_type;
    get_gateway_response(GetGatewayResponseRequest): "GET" "/restapis/{}/gatewayresponses/{}" rest_api_id response_type;
    get_gateway_responses(GetGatewayResponsesRequest): "GET" "/restapis/{}/gatewayresponses" rest_api_id;
    update_gateway_response(UpdateGatewayResponseRequest): "PATCH" "/restapis/{}/gatewayresponses/{}" rest_api_id response_type;
    delete_gateway_response(DeleteGatewayResponseRequest): "DELETE" "/restapis/{}/gatewayresponses/{}" rest_api_id response_type;
    create_authorizer(CreateAuthorizerRequest): "POST" "/restapis/{}/authorizers" rest_api_id;
    get_authorizer(GetAuthorizerRequest): "GET" "/restapis/{}/authorizers/{}" rest_api_id authorizer_id;
    get_authorizers(GetAuthorizersRequest): "GET" "/restapis/{}/authorizers" rest_api_id;
    update_authorizer(UpdateAuthorizerRequest): "PATCH" "/restapis/{}/authorizers/{}" rest_api_id authorizer_id;
    delete_authorizer(DeleteAuthorizerRequest): "DELETE" "/restapis/{}/authorizers/{}" rest_api_id authorizer_id;
    test_invoke_method(TestInvokeMethodRequest): "POST" "/restapis/{}/resources/{}/methods/{}" rest_api_id resource_id http_method;
    test_invoke_authorizer(TestInvokeAuthorizerRequest): "POST" "/restapis/{}/authorizers/{}" rest_api_id authorizer_id;
    flush_stage_cache(FlushStageCacheRequest): "DELETE" "/restapis/{}/stages/{}/cache/data" rest_api_id stage_name;
    flush_stage_authorizers_cache(FlushStageAuthorizersCacheRequest): "DELETE" "/restapis/{}/stages/{}/cache/authorizers" rest_api_id stage_name;
    create_deployment(CreateDeploymentRequest): "POST" "/restapis/{}/deployments" rest_api_id;
    get_deployment(GetDeploymentRequest): "GET" "/restapis/{}/deployments/{}" rest_api_id deployment_id;
    get_deployments(GetDeploymentsRequest): "GET" "/restapis/{}/deployments" rest_api_id;
    delete_deployment(DeleteDeploymentRequest): "DELETE" "/restapis/{}/deployments/{}" rest_api_id deployment_id;
    create_stage(CreateStageRequest): "POST" "/restapis/{}/stages" rest_api_id;
    get_export(GetExportRequest): "GET" "/restapis/{}/stages/{}/exports/{}" rest_api_id stage_name export_type;
    get_stage(GetStageRequest): "GET" "/restapis/{}/stages/{}" rest_api_id stage_name;
    get_stages(GetStagesRequest): "GET" "/restapis/{}/stages" rest_api_id;
    update_stage(UpdateStageRequest): "PATCH" "/restapis/{}/stages/{}" rest_api_id stage_name;
    delete_stage(DeleteStageRequest): "DELETE" "/restapis/{}/stages/{}" rest_api_id stage_name;
    update_account(UpdateAccountRequest): "PATCH" "/account";
    get_account(GetAccountRequest): "GET" "/account";
    get_tags(GetTagsRequest): "GET" "/tags/{}" resource_arn;
    tag_resource(TagResourceRequest): "PUT" "/tags/{}" resource_arn;
    untag_resource(UntagResourceRequest): "DELETE" "/tags/{}" resource_arn;
}
