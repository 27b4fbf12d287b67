package pagoda.runtime;

import java.io.ByteArrayOutputStream;
import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.IOException;
import java.lang.reflect.Constructor;
import java.lang.reflect.Field;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Descriptor 3, on which a process waits to be told who it is from now on. What waits there becomes an image. */
final class Resume {
    private static final int NUMBER = 3;
    private static final Path DESCRIPTORS = Paths.get("/proc/self/fd");

    /** What is not used any more is closed by the collector. */
    private static final List<FileInputStream> KEPT = new ArrayList<>();

    private final FileInputStream pipe;

    Resume() throws ReflectiveOperationException {
        Constructor<FileDescriptor> constructor = FileDescriptor.class.getDeclaredConstructor(int.class);
        pipe = new FileInputStream(Property.open(constructor).newInstance(NUMBER));
    }

    /** Waits, and becomes the instance that the message tells of. */
    @SuppressWarnings("unchecked")
    void await() throws Exception {
        ByteArrayOutputStream message = new ByteArrayOutputStream();
        byte[] chunk = new byte[16 * 1024];
        int length;
        do {
            length = pipe.read(chunk);
            if (length < 0) {
                Runtime.getRuntime().halt(0);
            }
            message.write(chunk, 0, length);
        } while (chunk[length - 1] != '\n');
        Surroundings.replace((Map<String, String>) JsonReader.object(message.toByteArray()).get("environment"));
        Surroundings.reseed();
    }

    void close() throws IOException {
        pipe.close();
    }

    /**
     * The JDK keeps one end of a socket whose other end is closed, and puts it in the place of descriptors that it
     * closes. An image holds no sockets; /dev/null reads as empty too.
     */
    static void replaceMarkers() throws Exception {
        List<String> unix = Files.readAllLines(Paths.get("/proc/self/net/unix"));
        List<Integer> markers = new ArrayList<>();
        try (DirectoryStream<Path> all = Files.newDirectoryStream(DESCRIPTORS)) {
            for (Path one : all) {
                String target = target(one);
                if (target.startsWith("socket:[")) {
                    String inode = " " + target.substring(8, target.length() - 1);
                    if (unix.stream().anyMatch(line -> line.endsWith(inode))) {
                        markers.add(Integer.valueOf(one.getFileName().toString()));
                    }
                }
            }
        }
        for (int marker : markers) {
            replace(marker);
        }
    }

    private static void replace(int number) throws Exception {
        Constructor<FileDescriptor> constructor =
                Property.open(FileDescriptor.class.getDeclaredConstructor(int.class));
        Field of = Property.open(FileDescriptor.class.getDeclaredField("fd"));
        new FileInputStream(constructor.newInstance(number)).close();
        // The lowest free number is given each time.
        List<FileInputStream> others = new ArrayList<>();
        FileInputStream opened = new FileInputStream("/dev/null");
        while (of.getInt(opened.getFD()) < number) {
            others.add(opened);
            opened = new FileInputStream("/dev/null");
        }
        KEPT.add(opened);
        for (FileInputStream other : others) {
            other.close();
        }
    }

    private static String target(Path link) {
        try {
            return Files.readSymbolicLink(link).toString();
        } catch (IOException e) {
            return "";
        }
    }
}
