package com.amazonaws.services.lambda.runtime;

import java.io.InputStream;
import java.io.OutputStream;
import java.lang.reflect.Type;

/**
 * A function's own way between objects and JSON, named in META-INF/services.
 *
 * <p>https://docs.aws.amazon.com/lambda/latest/dg/java-custom-serialization.html
 */
public interface CustomPojoSerializer {
    <T> T fromJson(InputStream input, Type type);

    <T> T fromJson(String input, Type type);

    <T> void toJson(T value, OutputStream output, Type type);
}
