package example;

import java.util.ArrayList;
import java.util.List;

/** Ways to fail. */
public class Failures {
    public static class Own extends RuntimeException {
        public Own(String message, Throwable cause) {
            super(message, cause);
        }
    }

    public static class Initial {
        static {
            if (true) {
                throw new Own("no init", null);
            }
        }

        public void handle() {}
    }

    public static class Constructed {
        public Constructed() {
            throw new Own("not made", null);
        }

        public void handle() {}
    }

    public String thrown(String event) {
        try {
            return inner();
        } catch (ArithmeticException e) {
            throw new Own("wrong", e);
        }
    }

    private String inner() {
        return "" + 1 / Integer.parseInt("0");
    }

    public String silent() {
        throw new NullPointerException();
    }

    public void exit() {
        System.exit(3);
    }

    public void sleep(int millis) throws InterruptedException {
        Thread.sleep(millis);
    }

    public int memory(int count) {
        List<byte[]> all = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            all.add(new byte[1 << 20]);
        }
        return all.size();
    }

    public int deep(int depth) {
        return depth == 0 ? 0 : 1 + deep(depth - 1);
    }

    public int number(int event) {
        return event;
    }

    public Object circle() {
        List<Object> list = new ArrayList<>();
        list.add(list);
        return list;
    }

    public String interrupted() {
        Thread.currentThread().interrupt();
        return "fine";
    }
}
