package example;

import com.amazonaws.services.lambda.runtime.Context;
import com.amazonaws.services.lambda.runtime.RequestHandler;

/** The usual interface, its types given by what lies between. */
public class Requests extends Base<Requests.Order> {
    public static class Order {
        private String id;
        private int count;

        public String getId() {
            return id;
        }

        public void setId(String id) {
            this.id = id;
        }

        public int getCount() {
            return count;
        }

        public void setCount(int count) {
            this.count = count;
        }
    }

    @Override
    public Order handleRequest(Order order, Context context) {
        order.setCount(order.getCount() + 1);
        return order;
    }
}

abstract class Base<T> implements RequestHandler<T, T> {}
