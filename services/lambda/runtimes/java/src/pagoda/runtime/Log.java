package pagoda.runtime;

import com.amazonaws.services.lambda.runtime.LambdaLogger;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** The function's log. An event is a line here, so that line ends in it become carriage returns. */
public final class Log implements LambdaLogger {
    private static final FileOutputStream OUT = new FileOutputStream(FileDescriptor.out);

    @Override
    public void log(String message) {
        log(String.valueOf(message).getBytes(StandardCharsets.UTF_8));
    }

    @Override
    public void log(byte[] message) {
        int length = message.length;
        while (length > 0 && message[length - 1] == '\n') {
            length -= 1;
        }
        byte[] line = Arrays.copyOf(message, length + 1);
        for (int i = 0; i < length; i++) {
            line[i] = line[i] == '\n' ? (byte) '\r' : line[i];
        }
        line[length] = '\n';
        try {
            OUT.write(line);
        } catch (IOException e) {
            // Nobody reads any more.
        }
    }
}
