package pagoda.runtime;

import com.amazonaws.services.lambda.runtime.Client;
import com.amazonaws.services.lambda.runtime.ClientContext;
import com.amazonaws.services.lambda.runtime.CognitoIdentity;
import com.amazonaws.services.lambda.runtime.Context;
import com.amazonaws.services.lambda.runtime.LambdaLogger;
import com.amazonaws.services.lambda.runtime.LambdaRuntime;
import java.nio.charset.StandardCharsets;
import java.util.Map;

/** The second argument of handlers. */
final class InvocationContext implements Context {
    private final Map<String, String> headers;

    InvocationContext(Map<String, String> headers) {
        this.headers = headers;
    }

    @Override
    public String getAwsRequestId() {
        return headers.get("lambda-runtime-aws-request-id");
    }

    @Override
    public String getLogGroupName() {
        return System.getenv("AWS_LAMBDA_LOG_GROUP_NAME");
    }

    @Override
    public String getLogStreamName() {
        return System.getenv("AWS_LAMBDA_LOG_STREAM_NAME");
    }

    @Override
    public String getFunctionName() {
        return System.getenv("AWS_LAMBDA_FUNCTION_NAME");
    }

    @Override
    public String getFunctionVersion() {
        return System.getenv("AWS_LAMBDA_FUNCTION_VERSION");
    }

    @Override
    public String getInvokedFunctionArn() {
        return headers.get("lambda-runtime-invoked-function-arn");
    }

    @Override
    public CognitoIdentity getIdentity() {
        return (Identity) parsed("lambda-runtime-cognito-identity", Identity.class);
    }

    @Override
    public ClientContext getClientContext() {
        return (Caller) parsed("lambda-runtime-client-context", Caller.class);
    }

    private Object parsed(String header, Class<?> type) {
        String text = headers.get(header);
        return text == null ? null : JsonReader.read(text.getBytes(StandardCharsets.ISO_8859_1), type);
    }

    @Override
    public int getRemainingTimeInMillis() {
        long deadline = Long.parseLong(headers.get("lambda-runtime-deadline-ms"));
        return (int) Math.min(Math.max(deadline - System.currentTimeMillis(), 0), Integer.MAX_VALUE);
    }

    @Override
    public int getMemoryLimitInMB() {
        return Integer.parseInt(System.getenv("AWS_LAMBDA_FUNCTION_MEMORY_SIZE"));
    }

    @Override
    public LambdaLogger getLogger() {
        return LambdaRuntime.getLogger();
    }

    @Override
    public String getTenantId() {
        return headers.get("lambda-runtime-aws-tenant-id");
    }

    @Override
    public String getXrayTraceId() {
        return headers.get("lambda-runtime-trace-id");
    }

    /** As in the header. */
    static final class Identity implements CognitoIdentity {
        public String cognitoIdentityId;
        public String cognitoIdentityPoolId;

        @Override
        public String getIdentityId() {
            return cognitoIdentityId;
        }

        @Override
        public String getIdentityPoolId() {
            return cognitoIdentityPoolId;
        }
    }

    /** As in the header. */
    static final class Caller implements ClientContext {
        public Application client;
        public Map<String, String> custom;
        public Map<String, String> env;

        @Override
        public Client getClient() {
            return client;
        }

        @Override
        public Map<String, String> getCustom() {
            return custom;
        }

        @Override
        public Map<String, String> getEnvironment() {
            return env;
        }
    }

    /** As in the header. */
    static final class Application implements Client {
        public String installation_id;
        public String app_title;
        public String app_version_name;
        public String app_version_code;
        public String app_package_name;

        @Override
        public String getInstallationId() {
            return installation_id;
        }

        @Override
        public String getAppTitle() {
            return app_title;
        }

        @Override
        public String getAppVersionName() {
            return app_version_name;
        }

        @Override
        public String getAppVersionCode() {
            return app_version_code;
        }

        @Override
        public String getAppPackageName() {
            return app_package_name;
        }
    }
}
