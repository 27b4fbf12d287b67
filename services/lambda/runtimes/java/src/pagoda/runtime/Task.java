package pagoda.runtime;

import java.io.File;
import java.net.MalformedURLException;
import java.net.URL;
import java.net.URLClassLoader;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * The function's classes: the package's own, then those of its jars, then those of the layers' jars. What this
 * client brings comes before, so that a function's copy of AWS's interfaces is of no harm.
 */
final class Task {
    private Task() {}

    static URLClassLoader loader(String... roots) throws MalformedURLException {
        List<URL> urls = new ArrayList<>();
        urls.add(new URL("file", null, roots[0] + "/"));
        for (String root : roots) {
            String[] names = new File(root, "lib").list();
            if (names == null) {
                continue;
            }
            Arrays.sort(names);
            for (String name : names) {
                if (name.endsWith(".jar")) {
                    urls.add(new File(root, "lib/" + name).toURI().toURL());
                }
            }
        }
        return new URLClassLoader(urls.toArray(new URL[0]), Task.class.getClassLoader());
    }
}
