package com.amazonaws.services.lambda.runtime;

/** Who called from a mobile application. */
public interface CognitoIdentity {
    String getIdentityId();

    String getIdentityPoolId();
}
